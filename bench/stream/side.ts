import type { XDisplay } from '../../sandbox/drivers/driver.ts';

/** One of the two that are compared: a screen, and a page that shows it. */
export interface Side extends AsyncDisposable {
  readonly name: string;
  /** How it is set up: versions; encoder, preset and pictures a second, as far as they are known by now. */
  about(): string;
  readonly display: XDisplay;
  /** Where its server listens on 127.0.0.1: the page and the stream come from there. */
  readonly port: number;
  /** The page, as it is opened through the link on this port. */
  pageUrl(port: number): string;
  /** The processes whose CPU counts: the server and its X server. They may change. */
  processes(): number[];
  /** What one of them is for. */
  roleOf(pid: number): string;
}
