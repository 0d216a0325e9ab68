import type { Core } from '../../../core/core.ts';
import { readFileLinks } from '../../../core/desktops/files.ts';
import type { ThreadId } from '../../../core/store/ids.ts';
import type { Event } from '../../../core/streams/message.ts';
import type { Caller } from './authenticate.ts';

/**
 * What stands below an Event that names files of ours: each with a link that opens it in a browser, signed for this reading. Undefined: it
 * names none that is still kept, or links cannot be made now.
 */
export async function showFiles(
  core: Core,
  reader: Caller,
  thread: ThreadId,
  event: { id: string } & Pick<Event, 'attachments'>,
): Promise<string | undefined> {
  try {
    const links = await readFileLinks(core, reader.organisation, thread, event.attachments);
    return links.map(({ name, url }) => `${name} (24 hours at most):\n${url}`).join('\n') || undefined;
  } catch (error) {
    // What was said matters more.
    core.log.warn({ err: error, event: event.id }, 'a file could not be shown in a terminal');
    return undefined;
  }
}
