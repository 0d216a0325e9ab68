import type { Core } from '../core.ts';
import { isStoredFile } from '../desktops/file-address.ts';
import { readFiles } from '../desktops/files.ts';
import { renderDesktop } from '../desktops/render-desktop.ts';
import { type ShownDesktop, shownIn } from '../desktops/shown-desktop.ts';
import type { WorkerId } from '../store/ids.ts';
import type { Event } from '../streams/message.ts';
import type { Door, OutgoingDelivery } from './door.ts';

/** A Desktop that is starting is waited for so long before its message goes out, in milliseconds. */
const waitMs = 20_000;

/** What goes out of an Event, besides where. */
export type RenderedEvent = Pick<OutgoingDelivery, 'event' | 'text' | 'card' | 'files'>;

/**
 * What a door is given of an Event: its text, the Desktop that it shows with links made now, and the files of ours that it names. The
 * links are in the card alone: each door shows them in its own way. Where a door's message reaches one person only, the card has that
 * person's own link to control as well.
 */
export async function renderEvent(
  core: Core,
  door: Door,
  binding: OutgoingDelivery['binding'],
  event: Event,
): Promise<RenderedEvent> {
  const { organisation, thread, attachments } = event;
  const files = await readFiles(core, organisation, thread, attachments);
  const rendered: RenderedEvent = {
    event: { ...event, attachments: attachments.filter((file) => !isStoredFile(file)) },
    text: event.body,
    ...(files.length > 0 ? { files } : {}),
  };
  const shown = shownIn(event);
  if (!shown) return rendered;
  const reader = door.tellAlone ? null : await onlyReader(core, binding.id, event, shown);
  const { card, note } = await renderDesktop(core, organisation, shown, { reader, waitMs, still: true });
  const text = [event.body, note].filter((part) => part !== '').join('\n\n');
  return { ...rendered, text, ...(card ? { card } : {}) };
}

/**
 * The one person whom a message by this Binding reaches: who wrote what it answers, if that came by it; else the only person who takes
 * part in a Thread that nobody but participants reads. Null: several, or nobody is known.
 */
async function onlyReader(
  core: Pick<Core, 'database'>,
  binding: string,
  { organisation, thread, extra }: Event,
  shown: ShownDesktop,
): Promise<WorkerId | null> {
  const [row] = await core.database.query<{ reader: WorkerId | null }>(
    `select case when $3::text is not null
       then (select e.author from event e where e.organisation = $1 and e.id = $3 and e.thread = $2 and e.came_by = $4)
       else (select min(p.worker) from participant p
           join worker w on w.organisation = p.organisation and w.id = p.worker and w.kind = 'human'
           join thread t on t.organisation = p.organisation and t.id = p.thread
           join stream s on s.organisation = t.organisation and s.id = t.stream and s.kind = 'mail'
         where p.organisation = $1 and p.thread = $2 having count(*) = 1) end as reader`,
    [organisation, thread, typeof extra.answers === 'string' ? extra.answers : null, binding],
  );
  const reader = row?.reader ?? null;
  return shown.for === null || shown.for === reader ? reader : null;
}
