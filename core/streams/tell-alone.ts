import type { ChatAnswer, Core } from '../core.ts';
import type { OutgoingDelivery } from '../delivery/door.ts';
import { renderDesktop } from '../desktops/render-desktop.ts';
import type { WorkerId } from '../store/ids.ts';
import { type Appended, coreScope } from './append-input.ts';
import type { Incoming } from './receive.ts';

/** A message whose answer is for its sender alone. */
interface Asked {
  incoming: Incoming;
  sender: WorkerId;
  appended: Appended;
  /** The receipt by which the answer is given once. */
  answered: string;
}

/** A door acknowledges within 3 s: a Desktop that is starting is not waited for longer, in milliseconds. */
const waitMs = 1500;

/**
 * Shows an answer to the person who asked and to nobody else, in the place where they asked. It is stored nowhere. `no way`: the door
 * has none, since each of its messages reaches one person only, or is read by its owner alone.
 */
export async function tellAlone(core: Core, asked: Asked, answer: ChatAnswer): Promise<'told' | 'failed' | 'no way'> {
  const { incoming, sender, appended } = asked;
  const { organisation } = incoming;
  const { id } = incoming.binding;
  if (!id || 'worker' in incoming.sender) return 'no way';
  const [place] = await core.database.query<{ binding: OutgoingDelivery['binding']; threadPlace: string | null }>(
    `select jsonb_build_object('id', b.id, 'kind', b.kind, 'externalId', b.external_id, 'config', b.config) as binding,
       (select external_id from thread_binding tb where tb.organisation = $1 and tb.binding = $2 and tb.thread = $3
         order by external_id limit 1) as "threadPlace"
     from binding b where b.organisation = $1 and b.id = $2`,
    [organisation, id, appended.thread],
  );
  const door = place && core.doors.get(place.binding.kind);
  if (!place || !door?.tellAlone) return 'no way';
  const mine = await core.database.query(
    `insert into receipt (organisation, binding, external_id, event) values ($1, $2, $3, $4) on conflict do nothing returning 1`,
    [organisation, coreScope, asked.answered, appended.event],
  );
  // The same message came twice at once: the other one answers it.
  if (mine.length === 0) return 'told';
  try {
    const rendered =
      // A picture may take longer than the platform waits for us.
      answer.shown && (await renderDesktop(core, organisation, answer.shown, { reader: sender, waitMs, still: false }));
    await door.tellAlone({
      organisation,
      ...place,
      person: incoming.sender.externalId,
      text: [answer.text, rendered?.note ?? ''].filter((part) => part !== '').join('\n\n'),
      ...(rendered?.card ? { card: rendered.card } : {}),
    });
    return 'told';
  } catch (error) {
    core.log.warn({ err: error, event: appended.event }, 'an answer could not be shown to who asked');
    await core.database.query('delete from receipt where organisation = $1 and binding = $2 and external_id = $3', [
      organisation,
      coreScope,
      asked.answered,
    ]);
    return 'failed';
  }
}
