import type { Core } from '../../../core/core.ts';
import { renderDesktop } from '../../../core/desktops/render-desktop.ts';
import { shownIn } from '../../../core/desktops/shown-desktop.ts';
import type { Event } from '../../../core/streams/message.ts';
import type { Caller } from './authenticate.ts';

/**
 * What stands below an Event that shows a Desktop: how it is, and links made for this reader at this moment, their own to control among
 * them if they may. Links are stored nowhere, so each look makes them anew. Undefined: it shows none, or a link cannot be made now.
 */
export async function showDesktop(
  core: Core,
  reader: Caller,
  event: { id: string } & Pick<Event, 'sourceKind' | 'extra'>,
): Promise<string | undefined> {
  const shown = shownIn(event);
  if (!shown) return undefined;
  try {
    const options = { reader: reader.worker, waitMs: 0, still: false };
    const { note, links } = await renderDesktop(core, reader.organisation, shown, options);
    return [note, ...links].filter((line) => line !== '').join('\n') || undefined;
  } catch (error) {
    // What was said matters more.
    core.log.warn({ err: error, event: event.id }, 'a desktop could not be shown in a terminal');
    return undefined;
  }
}
