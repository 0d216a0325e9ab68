import type { Core } from '../../../core/core.ts';
import { wordsForReader } from '../../../core/desktops/words-for-reader.ts';
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
  const { organisation, worker } = reader;
  try {
    return (await wordsForReader(core, { ...event, organisation }, worker)) || undefined;
  } catch (error) {
    // What was said matters more.
    core.log.warn({ err: error, event: event.id }, 'a desktop could not be shown in a terminal');
    return undefined;
  }
}
