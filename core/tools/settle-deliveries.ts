import type { Core } from '../core.ts';
import type { Executor } from '../store/database.ts';
import type { DeliveryId, OrganisationId } from '../store/ids.ts';
import { waitUntil } from '../streams/wait-until.ts';

/** What became of one Delivery, as far as is known now. */
export interface DeliveryReport {
  id: DeliveryId;
  /** The kind of place it goes to: mail. */
  to: string;
  state: 'delivered' | 'queued' | 'failed';
  /** What the platform calls the message. */
  externalId?: string;
  /** Why it failed, or what it waits for. */
  reason?: string;
}

/** How long a caller waits to learn what became of its message. */
const settleMs = 2000;

/**
 * Waits a little for Deliveries to settle, and says what became of each (design rule 9), so that nobody claims that a message was
 * sent when it was not.
 */
export async function settleDeliveries(
  core: Pick<Core, 'database' | 'waking'>,
  organisation: OrganisationId,
  deliveries: readonly DeliveryId[],
  signal: AbortSignal,
): Promise<DeliveryReport[]> {
  if (deliveries.length === 0) return [];
  return await waitUntil(core.waking, () => report(core.database, organisation, deliveries), {
    isDone: (reports) => reports.every(({ state }) => state !== 'queued'),
    ms: settleMs,
    signal,
  });
}

async function report(
  executor: Executor,
  organisation: OrganisationId,
  deliveries: readonly DeliveryId[],
): Promise<DeliveryReport[]> {
  return await executor.query<DeliveryReport>(
    `select d.id, coalesce(b.kind, '') as "to",
       case d.state when 'delivered' then 'delivered' when 'dead' then 'failed' when 'cancelled' then 'failed' else 'queued' end as state,
       d.external_id as "externalId", d.error as reason
     from delivery d left join binding b on b.organisation = d.organisation and b.id = d.binding
     where d.organisation = $1 and d.id = any($2::text[]) order by d.id`,
    [organisation, deliveries],
  );
}
