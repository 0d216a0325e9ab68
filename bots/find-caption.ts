import type { OutgoingDelivery } from '../core/delivery/door.ts';
import type { Executor } from '../core/store/database.ts';

/** What a message needs beside its text. */
export interface Caption {
  /**
   * Who says it, where it is somebody else than readers expect: not the Stream's default Worker. In a chat all Workers speak through
   * one bot, and the platform shows that bot's name.
   */
  speaker: string | null;
  /** It is the answer to `help`. */
  help: boolean;
}

/** Reads the caption of a Delivery, of a draft as well as of an Event. */
export async function findCaption(executor: Executor, delivery: OutgoingDelivery): Promise<Caption> {
  const [row] = await executor.query<Caption>(
    `select case when w.id is distinct from s.default_worker then w.name end as speaker,
       coalesce(asked.extra->>'command' = 'help', false) as help
     from delivery d
       join thread t on t.organisation = d.organisation and t.id = d.thread
       join stream s on s.organisation = t.organisation and s.id = t.stream
       left join event e on e.organisation = d.organisation and e.id = d.event
       left join activation a on a.organisation = d.organisation and a.id = d.activation and d.event is null
       left join worker w on w.organisation = d.organisation and w.id = coalesce(e.author, a.worker)
       left join event asked on asked.organisation = d.organisation and asked.id = e.extra->>'answers' and e.source_kind = 'notice'
     where d.organisation = $1 and d.id = $2`,
    [delivery.organisation, delivery.id],
  );
  return row ?? { speaker: null, help: false };
}

/** A caption's speaker as the first line of a message of markdown. */
export function speakerLine(speaker: string): string {
  return `**${speaker.replaceAll(/[*_`\\[\]<>]/g, '\\$&')}**`;
}
