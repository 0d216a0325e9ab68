import { Transform } from 'node:stream';
import type { ReadStream } from 'node:tty';

const pasteBegins = '\u001b[200~';
const pasteEnds = '\u001b[201~';
const altEnter = '\u001b\r';
const suspend = '\u001a';

/** What stands for a line end and a tab inside a line that readline edits, and so on the screen. */
const lineEndSign = '\u23ce';
const tabSign = '\u21e5';

/** Switches a terminal's bracketed paste on and off (xterm's control sequences). */
export const bracketedPaste = { on: '\u001b[?2004h', off: '\u001b[?2004l' };

/**
 * What stands between a terminal's keyboard and readline, which knows single lines only: a pasted text stays one line to it, its
 * line ends and tabs shown as `⏎` and `⇥` ({@link asTyped} brings them back), and so does what was typed with Alt-Enter between.
 * Ctrl-Z is swallowed: it would stop this process alone, and the shell would go on waiting for npm.
 */
export class KeyboardFilter extends Transform {
  readonly isTTY = true;
  readonly #terminal: Pick<ReadStream, 'setRawMode'>;
  #pasting = false;
  #held = '';

  constructor(terminal: Pick<ReadStream, 'setRawMode'>) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
  }

  /** Called by readline. */
  setRawMode(raw: boolean): this {
    this.#terminal.setRawMode(raw);
    return this;
  }

  override _transform(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    let input = this.#held + chunk.toString();
    this.#held = '';
    while (input !== '') {
      const marker = this.#pasting ? pasteEnds : pasteBegins;
      const at = input.indexOf(marker);
      if (at < 0) {
        // a line end of two characters may be cut too
        const kept = this.#pasting && input.endsWith('\r') ? 1 : heldBack(input, marker, this.#pasting ? 1 : 3);
        this.#held = input.slice(input.length - kept);
        this.#pass(input.slice(0, input.length - kept));
        break;
      }
      this.#pass(input.slice(0, at));
      input = input.slice(at + marker.length);
      this.#pasting = !this.#pasting;
    }
    done();
  }

  #pass(input: string): void {
    const text = this.#pasting ? asOneLine(input) : input.replaceAll(altEnter, lineEndSign).replaceAll(suspend, '');
    if (text !== '') this.push(Buffer.from(text));
  }
}

/** A line as readline has it, as it was typed or pasted. */
export function asTyped(line: string): string {
  return line.replaceAll(lineEndSign, '\n').replaceAll(tabSign, '\t');
}

function asOneLine(pasted: string): string {
  return (
    pasted
      .replace(/\r\n?|\n/g, lineEndSign)
      .replaceAll('\t', tabSign)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what would be taken for keys
      .replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
  );
}

/** How many characters at the end may be the beginning of the marker; fewer than `least` are a key of their own. */
function heldBack(input: string, marker: string, least: number): number {
  for (let length = Math.min(marker.length - 1, input.length); length >= least; length--)
    if (input.endsWith(marker.slice(0, length))) return length;
  return 0;
}
