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
  layOut(text: string, columns: number, mostRows: number): { print: string; rows: string[] } {
    let print = text.startsWith(this.#printed) ? '' : this.#startAnew();
    const whole = this.#head() + text.slice(this.#printed.length);
    const rows = wrapText(whole, columns);
    const kept = rows.splice(placeToCut(rows, rows.length - mostRows));
    const last = rows.at(-1);
    if (last) {
      const cut = whole.slice(0, last.end);
      print += last.endsLine ? cut : `${cut}\n`;
      this.#printed += cut.slice(this.#head().length);
      this.#interrupted = false;
    }
    return { print, rows: kept.map((row) => row.text) };
  }

  /** What is to be printed when the reply is finished, or given up: whatever of it is not printed yet. */
  finish(text: string): string {
    // the end of a finished reply is trimmed
    const isAllPrinted = this.#printed.startsWith(text) && this.#printed.slice(text.length).trim() === '';
    if (isAllPrinted && this.#printed !== '') return '';
    const print = text.startsWith(this.#printed) ? '' : this.#startAnew();
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

/**
 * How many rows to print of those of which so many are too many: up to the next line end, so that the terminal itself can wrap
 * whole lines anew; but a line that fills the screen is cut.
 */
function placeToCut(rows: readonly Row[], surplus: number): number {
  if (surplus <= 0) return 0;
  const lineEnd = rows.findIndex((row, index) => index >= surplus - 1 && row.endsLine && index < rows.length - 1);
  return lineEnd >= 0 ? lineEnd + 1 : surplus;
}
