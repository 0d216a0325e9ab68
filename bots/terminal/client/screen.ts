import type { Interface } from 'node:readline/promises';
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { displayWidth, rowsBelow } from './wrap-text.ts';

/** A row that changes: drawn above the prompt, and drawn anew each time. It has no line end and is not wider than the screen. */
export type LiveRow = string;

const defaultColumns = 80;
const defaultRows = 24;
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const wrapOff = '\u001b[?7l';
const wrapOn = '\u001b[?7h';
const clearBelow = '\u001b[0J';

/** What Node 24's readline keeps of its line on the screen; its documentation does not say so. */
interface Undocumented {
  /** How many rows its cursor is below the first of its line. It goes up so many to draw the line anew. */
  prevRows?: number;
  /** False while it handles all but the last of many characters that came at once. */
  isCompletionEnabled?: boolean;
}

/**
 * The lower end of a terminal: what was said scrolls away above, then some rows that change, then the line that is being typed.
 * readline draws that line, this everything above it.
 */
export class Screen {
  readonly #readline: Interface & Undocumented;
  readonly #output: WriteStream;
  readonly #prompt: string;
  #drawn = 0;
  #live: readonly LiveRow[] = [];

  /** @param prompt what readline shows, without its colours */
  constructor(readline: Interface, output: WriteStream, prompt: string) {
    this.#readline = readline;
    this.#output = output;
    this.#prompt = prompt;
  }

  /** Some terminals say that they have no size. */
  get columns(): number {
    return this.#output.columns || defaultColumns;
  }

  /**
   * How many live rows there is room for beside the line that is being typed. Two rows stay free: where the screen scrolled by a
   * line that was taken, or is cleared from its first row on, rows that change would be left behind in what has scrolled away.
   */
  get room(): number {
    const typed = rowsBelow(this.#prompt + this.#readline.line, this.columns) + 1;
    return Math.max((this.#output.rows || defaultRows) - typed - 2, 2);
  }

  /** Draws the live rows anew, under what is to stay from now on (whole lines, with their line ends). */
  draw(live: readonly LiveRow[], stays = ''): void {
    if (stays === '' && live.length === this.#live.length && live.every((row, index) => row === this.#live[index]))
      return;
    this.#redraw(live, stays, this.#drawn + this.#readline.getCursorPos().rows);
  }

  /**
   * To be called before readline handles a key. Of many characters that come at once it writes all but the last without counting
   * rows, and would then draw its line anew in the wrong place.
   */
  beforeKey(): void {
    if (this.#readline.isCompletionEnabled !== false) this.#readline.prevRows = this.#readline.getCursorPos().rows;
  }

  /** To be called when readline has taken a line: it is taken off the screen again, and what is to stay of it drawn. */
  taken(line: string, stays: string): void {
    this.#redraw(this.#live, stays, this.#drawn + rowsBelow(this.#prompt + line, this.columns) + 1);
  }

  /** To be called when the terminal has another width: it has broken the rows that were too long for it. */
  resized(): void {
    const widths = this.#live.map((row) => displayWidth(stripVTControlCharacters(row)));
    const broken = widths.reduce((rows, width) => rows + Math.max(Math.ceil(width / this.columns), 1), 0);
    this.#redraw(this.#live, '', broken + this.#readline.getCursorPos().rows);
  }

  /** Takes the live rows and the prompt away: what is printed next stands where they were. */
  leave(): void {
    this.#output.write(`${up(this.#drawn + this.#readline.getCursorPos().rows)}\r${clearBelow}${showCursor}`);
    this.#drawn = 0;
    this.#live = [];
  }

  #redraw(live: readonly LiveRow[], stays: string, rowsUp: number): void {
    const rows = live.map((row) => `${row}\n`).join('');
    this.#output.cork();
    this.#output.write(`${hideCursor}${up(rowsUp)}\r${clearBelow}${stays}${wrapOff}${rows}${wrapOn}`);
    this.#readline.prevRows = 0;
    this.#readline.prompt(true);
    this.#output.write(showCursor);
    this.#output.uncork();
    this.#drawn = live.length;
    this.#live = live;
  }
}

function up(rows: number): string {
  return rows > 0 ? `\u001b[${rows}A` : '';
}
