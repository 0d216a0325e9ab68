import { widthOf } from '../client/wrap-text.ts';

/** A control sequence in parts, an operating system command, or two characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const escapeSequence = /^\u001b(?:\[([?>=]?)([\d;]*)([@-~])|\][^\u0007]*\u0007|[^[\]])/;

/**
 * A terminal as far as the chat uses one: what its escape sequences have made of the screen, so that a test sees what a person
 * sees. Source: ECMA-48, and xterm's control sequences for the private modes.
 */
export class VirtualScreen {
  readonly #columns: number;
  readonly #rows: number;
  #lines: string[][] = [[]];
  /** The first line on the screen; those before have scrolled away. */
  #top = 0;
  #row = 0;
  #column = 0;
  #wraps = true;
  #rest = '';
  /** What the terminal was told besides: titles, clipboards, bells. Nothing of it is the chat's to say. */
  readonly strange: string[] = [];
  readonly modes = new Set<string>();

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** What is on the screen now, without blank rows at its end. */
  text(): string {
    return this.#textOf(this.#lines.slice(this.#top));
  }

  /** And what has scrolled away above it. */
  everything(): string {
    return this.#textOf(this.#lines);
  }

  #textOf(lines: string[][]): string {
    return lines
      .map((line) =>
        Array.from(line, (cell) => cell ?? ' ')
          .join('')
          .trimEnd(),
      )
      .join('\n')
      .trimEnd();
  }

  write(output: string): void {
    let input = this.#rest + output;
    this.#rest = '';
    while (input !== '') {
      const sequence = escapeSequence.exec(input);
      if (sequence) {
        const [whole, mark = '', parameters = '', final] = sequence;
        if (final === undefined) this.strange.push(whole);
        else this.#control(mark, parameters, final, whole);
        input = input.slice(whole.length);
      } else if (input.startsWith('\u001b')) {
        this.#rest = input;
        return;
      } else {
        const character = String.fromCodePoint(input.codePointAt(0) ?? 0);
        this.#put(character);
        input = input.slice(character.length);
      }
    }
  }

  #control(mark: string, parameters: string, final: string, whole: string): void {
    const [n = 0] = parameters.split(';').map(Number);
    if (mark === '?' && (final === 'h' || final === 'l')) {
      if (n === 7) this.#wraps = final === 'h';
      if (final === 'h') this.modes.add(parameters);
      else this.modes.delete(parameters);
    } else if (mark !== '') this.strange.push(whole);
    else if (final === 'A') this.#row = Math.max(this.#row - (n || 1), 0);
    else if (final === 'B') this.#row = Math.min(this.#row + (n || 1), this.#rows - 1);
    else if (final === 'C') this.#column = Math.min(this.#column + (n || 1), this.#columns - 1);
    else if (final === 'D') this.#column = Math.max(this.#column - (n || 1), 0);
    else if (final === 'G') this.#column = (n || 1) - 1;
    else if (final === 'J' && n === 0) this.#clearBelow();
    else if (final === 'K' && n === 0) this.#line().length = Math.min(this.#line().length, this.#column);
    else if (final !== 'm') this.strange.push(whole);
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#lineFeed();
    else if (character < ' ' || character === '\u007f') this.strange.push(character);
    else {
      const width = widthOf(character);
      if (this.#column + width > this.#columns) {
        if (this.#wraps) {
          this.#column = 0;
          this.#lineFeed();
        } else this.#column = this.#columns - width;
      }
      const line = this.#line();
      while (line.length < this.#column) line.push(' ');
      if (width === 0 && this.#column > 0) line[this.#column - 1] += character;
      else line.splice(this.#column, width, character, ...(width === 2 ? [''] : []));
      this.#column += width;
    }
  }

  #lineFeed(): void {
    if (this.#row < this.#rows - 1) this.#row++;
    else this.#top++;
  }

  #line(): string[] {
    const at = this.#top + this.#row;
    while (this.#lines.length <= at) this.#lines.push([]);
    return this.#lines[at] ?? [];
  }

  #clearBelow(): void {
    this.#line().length = Math.min(this.#line().length, this.#column);
    this.#lines.length = this.#top + this.#row + 1;
  }
}
