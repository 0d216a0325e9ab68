import type { Core } from '../core.ts';
import type { WorkerId } from '../store/ids.ts';
import type { Event } from '../streams/message.ts';
import { renderDesktop } from './render-desktop.ts';
import { shownIn } from './shown-desktop.ts';

/**
 * What to write below an Event for a person who reads it by a door of their own (the terminal): the links of the Desktop that it shows,
 * signed for this reading, and how it is. Empty for every other Event. Nobody else may be shown it.
 */
export async function wordsForReader(
  core: Pick<Core, 'database' | 'waking' | 'desktops' | 'publicUrl' | 'log'>,
  event: Pick<Event, 'organisation' | 'sourceKind' | 'extra'>,
  reader: WorkerId,
): Promise<string> {
  const shown = shownIn(event);
  if (!shown) return '';
  const { note, links } = await renderDesktop(core, event.organisation, shown, { reader, waitMs: 0, still: false });
  return [note, ...links].filter((part) => part !== '').join('\n');
}
