import type { EventFrame } from '../wire.ts';

/** What is printed of an Event: what it says, and below it the Desktop that it shows, whose links a terminal makes links of by itself. */
export function shownBody({ body, desktop }: EventFrame): string {
  return desktop === undefined ? body : [body, desktop].filter((part) => part !== '').join('\n');
}
