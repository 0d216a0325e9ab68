import { type Row, wrapText } from './wrap-text.ts';

/**
 * A reply on the screen while it is written. What fits is shown in place, so that it may change; what a long reply pushes off the
 * top is printed for good, line by line, and the reply goes on below it.
 */
export class GrowingReply {
  readonly #name: string;
  /** What has been printed for good. */
  #printed = '';
  /** Something else was printed after that: the next line says whose it is. */
  #interrupted = false;

  /** @param name of its author, as it may be shown */
  constructor(name: string) {
    this.#name = name;
  }

  /** To be called when something else is printed for good. */
  interrupt(): void {
    this.#interrupted = this.#printed !== '';
  }

  /**
   * The reply as it is now, in rows of at most `columns`; and, when these are more than `mostRows`, what has to be printed for good
   * before they are shown.
   */
  layOut(text: string, columns: number, mostRows: number): { print: string | undefined; rows: string[] } {
    let print = '';
    if (!text.startsWith(this.#printed)) print += this.#startAnew();
    const head = this.#head();
    const rows = wrapText(head + text.slice(this.#printed.length), columns);
    const surplus = rows.length - mostRows;
    if (surplus <= 0) return { print: print || undefined, rows: rows.map((row) => row.text) };
    // A whole line, so that the terminal itself can wrap it anew; but one that fills the screen is cut.
    const lineEnd = rows.findIndex((row, index) => index >= surplus - 1 && row.endsLine && index < rows.length - 1);
    const last = rows[lineEnd >= 0 ? lineEnd : surplus - 1] as Row;
    const printed = (head + text.slice(this.#printed.length)).slice(0, last.end);
    print += last.endsLine ? printed : `${printed}\n`;
    this.#printed += printed.slice(head.length);
    this.#interrupted = false;
    return { print, rows: rows.slice((lineEnd >= 0 ? lineEnd : surplus - 1) + 1).map((row) => row.text) };
  }

  /** What is to be printed when the reply is finished, or given up: whatever of it is not printed yet. */
  finish(text: string): string {
    let print = '';
    // the end of a finished reply is trimmed
    const isAllPrinted = this.#printed.startsWith(text) && this.#printed.slice(text.length).trim() === '';
    if (isAllPrinted && this.#printed !== '') return '';
    if (!text.startsWith(this.#printed)) print += this.#startAnew();
    return `${print}${this.#head()}${text.slice(this.#printed.length)}\n`;
  }

  #head(): string {
    if (this.#printed === '') return `${this.#name}> `;
    return this.#interrupted ? `${this.#name} (goes on)> ` : '';
  }

  #startAnew(): string {
    this.#printed = '';
    this.#interrupted = false;
    return `(${this.#name} begins again)\n`;
  }
}
