import type { Core } from '../core.ts';
import type { Executor } from '../store/database.ts';
import type { BindingId, EventId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { type AppendInput, appendWithin } from '../streams/append.ts';
import { describe, lostLeasesForgiven, type NextAttempt, nextAttempt } from './failure.ts';
import { type Lane, releaseLane } from './lane.ts';
import { activationStreamOf, LeaseLost } from './steps.ts';
import type { Taken } from './take-batch.ts';

/** How a run ended. */
export type RunOutcome =
  | { kind: 'replied'; text: string }
  /** A person said `stop`; `text` is what was visible by then. */
  | { kind: 'cancelled'; text: string }
  | { kind: 'failed'; error: unknown }
  /** This process ends: another one, or its successor, goes on from the stored steps. */
  | { kind: 'given_back' };

/** Exactly this, or nothing, is a reply that posts nothing (design rule 10). */
const noReply = 'NO_REPLY';

/**
 * Commits the end of a run in one transaction: the reply, the Triggers, the Activation, the Lane. Conditional on the fence.
 *
 * @throws LeaseLost when somebody else holds the Lane: nothing was committed.
 */
export async function finishActivation(
  core: Core,
  lane: Lane,
  taken: Taken,
  outcome: RunOutcome,
): Promise<NextAttempt['kind'] | 'done'> {
  const ended = await core.database.transaction(async (tx) => {
    if (!(await lockStreamAndLane(tx, lane, taken))) throw new LeaseLost();
    switch (outcome.kind) {
      case 'replied':
        await replied(tx, lane, taken, outcome.text);
        return 'done' as const;
      case 'cancelled':
        await cancelled(tx, lane, taken, outcome.text);
        return 'done' as const;
      case 'failed':
        return await failed(tx, lane, taken, outcome.error);
      case 'given_back':
        await tx.query(`update activation set state = 'waiting' where organisation = $1 and id = $2`, [
          lane.organisation,
          taken.id,
        ]);
        await releaseLane(tx, lane, 0);
        return 'retry' as const;
    }
  });
  core.waking.announce();
  return ended;
}

/** Lock order everywhere: Stream, Lane, Worker. append() locks the Stream's row first, so this must too. */
async function lockStreamAndLane(tx: Executor, lane: Lane, taken: Taken): Promise<boolean> {
  const rows = await tx.query(
    `with s as materialized (select 1 from stream where organisation = $1 and id = $5 for update)
     select 1 from lane where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3 and fence = $4
       and exists (select 1 from s) and lease_until > clock_timestamp() for update`,
    [lane.organisation, lane.owner, lane.thread, lane.fence, taken.stream],
  );
  return rows.length > 0;
}

async function replied(tx: Executor, lane: Lane, taken: Taken, text: string): Promise<void> {
  const body = text.trim();
  const reply = body === '' || body === noReply ? null : await appendReply(tx, lane, taken, body);
  await end(tx, lane, taken, 'done', { reply });
}

async function cancelled(tx: Executor, lane: Lane, taken: Taken, text: string): Promise<void> {
  const body = text.trim();
  const reply = body === '' ? null : await appendReply(tx, lane, taken, `${body}\n\n_(stopped)_`);
  await end(tx, lane, taken, 'cancelled', { reply });
}

async function failed(tx: Executor, lane: Lane, taken: Taken, error: unknown): Promise<NextAttempt['kind']> {
  const next = nextAttempt(error, taken);
  const reason = describe(error);
  if (next.kind === 'dead') {
    await appendWithin(tx, {
      ...replyBase(lane, taken),
      author: null,
      sourceKind: 'notice',
      message: { body: `I could not answer: ${reason}. Say it again, or have ${taken.id} tried again.` },
    });
    await end(tx, lane, taken, 'dead', { error: reason, failures: next.failures });
    return 'dead';
  }
  await tx.query(
    `update activation set state = 'waiting', error = $3, failures = $4,
       waiting_since = case when $5 then coalesce(waiting_since, now()) end
     where organisation = $1 and id = $2`,
    [lane.organisation, taken.id, reason, next.kind === 'retry' ? next.failures : taken.failures, next.kind === 'wait'],
  );
  await releaseLane(tx, lane, next.delaySeconds);
  return next.kind;
}

/** A lease lost so often is a failed attempt: something in this Activation takes processes down. */
export function lostTooOften(taken: Taken): boolean {
  return taken.lostLeases > lostLeasesForgiven;
}

function replyBase(lane: Lane, taken: Taken): Pick<AppendInput, 'organisation' | 'stream' | 'thread'> {
  return { organisation: lane.organisation, stream: taken.stream, thread: lane.thread };
}

/** The reply, on its way to every place of the Thread; where a draft already shows it, that message becomes it. */
async function appendReply(tx: Executor, lane: Lane, taken: Taken, body: string): Promise<EventId> {
  const { drafts, answered } = await contextOf(tx, lane, taken);
  const appended = await appendWithin(tx, {
    ...replyBase(lane, taken),
    author: taken.worker,
    sourceKind: 'ai',
    hops: taken.hops,
    origin: taken.origin,
    activation: taken.id,
    message: { body, ...answered },
    drafted: drafts,
  });
  if (drafts.length > 0) {
    await tx.query(
      `with d as (
         update delivery set state = 'queued', event = $3, position = $4
         where organisation = $1 and activation = $2 and state = 'draft' returning binding, thread
       )
       update lane set ready_at = coalesce(lane.ready_at, now()) from d
       where lane.organisation = $1 and lane.kind = 'delivery' and lane.owner = d.binding and lane.thread = d.thread`,
      [lane.organisation, taken.id, appended.event, appended.position],
    );
  }
  return appended.event;
}

interface ReplyContext {
  /** The Bindings that show the reply as a draft. */
  drafts: BindingId[];
  /** What the reply answers: the last message of the batch. A door needs it for its headers and for whom to write to. */
  answered: { inReplyTo?: string; subject?: string; extra?: Record<string, unknown> };
}

async function contextOf(tx: Executor, lane: Lane, taken: Taken): Promise<ReplyContext> {
  const [row] = await tx.query<{
    drafts: BindingId[];
    last: { id: EventId; messageId: string | null; subject: string } | null;
  }>(
    `select coalesce((select jsonb_agg(binding) from delivery
         where organisation = $1 and activation = $2 and state = 'draft'), '[]') as drafts,
       (select jsonb_build_object('id', e.id, 'messageId', e.message_id, 'subject', e.subject) from trigger t
          join event e on e.organisation = t.organisation and e.id = t.event
        where t.organisation = $1 and t.activation = $2 order by e.position desc limit 1) as last`,
    [lane.organisation, taken.id],
  );
  const drafts = row?.drafts ?? [];
  // Whoever shows a draft holds its Lane while it writes to it: Lane before Delivery, here too.
  if (drafts.length > 0)
    await tx.query(
      `select 1 from lane where organisation = $1 and kind = 'delivery' and thread = $2 and owner = any($3::text[])
       order by owner for update`,
      [lane.organisation, lane.thread, drafts],
    );
  const last = row?.last;
  if (!last) return { drafts, answered: {} };
  return {
    drafts,
    answered: {
      ...(last.messageId ? { inReplyTo: last.messageId } : {}),
      subject: last.subject,
      extra: { answers: last.id },
    },
  };
}

/** The end of an Activation, of its Triggers and of its Lane's present claim. */
async function end(
  tx: Executor,
  lane: Lane,
  taken: Taken,
  state: 'done' | 'dead' | 'cancelled',
  details: { reply?: EventId | null; error?: string; failures?: number },
): Promise<void> {
  // A draft of a reply that never came stays as it is: there is nothing to edit it into.
  await tx.query(
    `with s as (
       update stream set position = position + 1 where organisation = $1 and id = $7 returning position
     ), st as (
       insert into step (organisation, activation, number, stream, position, kind, content)
       select $1, $2, (select coalesce(max(number), 0) + 1 from step where organisation = $1 and activation = $2), $7, s.position,
         'end', $8::jsonb from s
     ), t as (
       update trigger set state = $3 where organisation = $1 and activation = $2 and state = 'taken'
     ), d as (
       update delivery set state = 'cancelled' where organisation = $1 and activation = $2 and state = 'draft'
     )
     update activation set state = $3, ended_at = now(), reply = $4, error = $5, failures = coalesce($6, failures),
       waiting_since = null,
       usage = (select jsonb_build_object('inputTokens', coalesce(sum((usage->>'inputTokens')::bigint), 0),
                                          'outputTokens', coalesce(sum((usage->>'outputTokens')::bigint), 0))
                from step where organisation = $1 and activation = $2 and usage is not null having count(*) > 0)
     where organisation = $1 and id = $2`,
    [
      lane.organisation,
      taken.id,
      state,
      details.reply ?? null,
      details.error ?? null,
      details.failures ?? null,
      activationStreamOf(taken.worker),
      toJson({ outcome: state, ...details }),
    ],
  );
  // A statement of its own, after the Lane's lock: it sees every Trigger that was appended meanwhile.
  await tx.query(
    `update lane set lease_until = null, holder = null, ready_at = case when
         exists (select 1 from trigger where organisation = $1 and worker = $2 and thread = $3 and state = 'waiting')
         or exists (select 1 from activation where organisation = $1 and worker = $2 and thread = $3
                      and state in ('running', 'waiting')) then now() end
     where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3 and fence = $4`,
    [lane.organisation, lane.owner, lane.thread, lane.fence],
  );
}
