import type { EventFrame } from '../wire.ts';

/** What is printed of an Event: what it says, and below it the Desktop and the files that it shows, whose links a terminal makes links of by itself. */
export function shownBody({ body, desktop = '', files = '' }: EventFrame): string {
  const below = [desktop, files].filter((part) => part !== '');
  return below.length === 0 ? body : [body, ...below].filter((part) => part !== '').join('\n');
}
