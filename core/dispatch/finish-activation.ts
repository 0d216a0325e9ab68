import type { Core } from '../core.ts';
import type { Executor, Statement, Transaction } from '../store/database.ts';
import type { BindingId, EventId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { type AppendInput, appendWithin, prepareAppend } from '../streams/append.ts';
import { resolveAppends } from '../streams/resolve-appends.ts';
import { describe, lostLeasesForgiven, type NextAttempt, nextAttempt } from './failure.ts';
import { type Lane, releaseActivationLane, releaseLane } from './lane.ts';
import { activationStreamOf, LeaseLost, prepareStep, type StoredStep } from './steps.ts';
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
 * Commits the end of a run in one transaction: the last step, the reply, the Triggers, the Activation, the Lane. Conditional on
 * the fence.
 *
 * @throws LeaseLost when somebody else holds the Lane: nothing was committed.
 */
export async function finishActivation(
  core: Core,
  lane: Lane,
  taken: Taken,
  outcome: RunOutcome,
  lastStep: StoredStep | null = null,
): Promise<NextAttempt['kind'] | 'done'> {
  const ending: Ending = { lane, taken, lastStep };
  const ended = await core.database.transaction(async (tx) => {
    switch (outcome.kind) {
      case 'replied':
        await endWithReply(tx, ending, 'done', outcome.text.trim());
        return 'done' as const;
      case 'cancelled': {
        const body = outcome.text.trim();
        await endWithReply(tx, ending, 'cancelled', body === '' ? '' : `${body}\n\n_(stopped)_`);
        return 'done' as const;
      }
      case 'failed':
        return await failed(tx, ending, outcome.error);
      case 'given_back':
        await lockStreamAndLane(tx, ending);
        await tx.commitWith(
          ...lastOf(ending),
          [
            `update activation set state = 'waiting' where organisation = $1 and id = $2`,
            [lane.organisation, taken.id],
          ],
          releaseActivationLane(lane),
        );
        return 'retry' as const;
    }
  });
  core.waking.announce();
  return ended;
}

/** An Activation that ends, for whatever reason. */
interface Ending {
  lane: Lane;
  taken: Taken;
  /** A final text that was recorded and is not stored yet. */
  lastStep: StoredStep | null;
}

function lastOf({ lane, taken, lastStep }: Ending): Statement[] {
  return lastStep ? [prepareStep(lane, taken.id, lastStep)] : [];
}

/**
 * Lock order everywhere: Stream, Lane, Worker. append() locks the Stream's row first, so this must too.
 *
 * @throws LeaseLost
 */
async function lockStreamAndLane(tx: Executor, { lane, taken }: Ending): Promise<void> {
  const rows = await tx.query(
    `with s as materialized (select 1 from stream where organisation = $1 and id = $5 for update)
     select 1 from lane where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3 and fence = $4
       and exists (select 1 from s) and lease_until > clock_timestamp() for update`,
    [lane.organisation, lane.owner, lane.thread, lane.fence, taken.stream],
  );
  if (rows.length === 0) throw new LeaseLost();
}

/** The reply, on its way to every place of the Thread, and the end. An empty body, or `NO_REPLY`, posts nothing. */
async function endWithReply(tx: Transaction, ending: Ending, state: 'done' | 'cancelled', body: string): Promise<void> {
  const { lane, taken } = ending;
  if (body === '' || body === noReply) {
    await lockStreamAndLane(tx, ending);
    await tx.commitWith(...end(ending, state, { reply: null }));
    return;
  }
  const input: AppendInput = {
    ...replyBase(ending),
    author: taken.worker,
    sourceKind: 'ai',
    hops: taken.hops,
    origin: taken.origin,
    activation: taken.id,
    message: { body },
  };
  const [, { drafts, answered }, [resolved]] = await Promise.all([
    lockStreamAndLane(tx, ending),
    contextOf(tx, lane, taken),
    resolveAppends(tx, [input]),
  ]);
  if (!resolved) throw new Error('resolving a reply gave nothing');
  const reply: AppendInput = { ...input, message: { body, ...answered }, drafted: drafts };
  const prepared = prepareAppend(reply, resolved);
  if (prepared)
    await tx.commitWith(
      prepared.statement,
      ...(drafts.length > 0 ? [finishDrafts(ending, prepared.event)] : []),
      ...end(ending, state, { reply: prepared.event }),
    );
  else {
    const { event } = await appendWithin(tx, reply);
    await tx.commitWith(
      ...(drafts.length > 0 ? [finishDrafts(ending, event)] : []),
      ...end(ending, state, { reply: event }),
    );
  }
}

async function failed(tx: Transaction, ending: Ending, error: unknown): Promise<NextAttempt['kind']> {
  const { lane, taken } = ending;
  const next = nextAttempt(error, taken);
  const reason = describe(error);
  await lockStreamAndLane(tx, ending);
  if (next.kind === 'dead') {
    await appendWithin(tx, {
      ...replyBase(ending),
      author: null,
      sourceKind: 'notice',
      message: { body: `I could not answer: ${reason}. Say it again, or have ${taken.id} tried again.` },
    });
    await tx.commitWith(...end(ending, 'dead', { error: reason, failures: next.failures }));
    return 'dead';
  }
  await tx.query(
    `update activation set state = 'waiting', error = $3, failures = $4,
       waiting_since = case when $5 then coalesce(waiting_since, now()) end
     where organisation = $1 and id = $2`,
    [lane.organisation, taken.id, reason, next.kind === 'retry' ? next.failures : taken.failures, next.kind === 'wait'],
  );
  for (const step of lastOf(ending)) await tx.query(...step);
  await releaseLane(tx, lane, next.delaySeconds);
  return next.kind;
}

/** A lease lost so often is a failed attempt: something in this Activation takes processes down. */
export function lostTooOften(taken: Taken): boolean {
  return taken.lostLeases > lostLeasesForgiven;
}

function replyBase({ lane, taken }: Ending): Pick<AppendInput, 'organisation' | 'stream' | 'thread'> {
  return { organisation: lane.organisation, stream: taken.stream, thread: lane.thread };
}

/** Where a draft shows the reply already, that message becomes it. */
function finishDrafts({ lane, taken }: Ending, event: EventId): Statement {
  return [
    `with d as (
       update delivery set state = 'queued', event = $3, position = (select position from event where organisation = $1 and id = $3)
       where organisation = $1 and activation = $2 and state = 'draft' returning binding, thread
     )
     update lane set ready_at = coalesce(lane.ready_at, now()) from d
     where lane.organisation = $1 and lane.kind = 'delivery' and lane.owner = d.binding and lane.thread = d.thread`,
    [lane.organisation, taken.id, event],
  ];
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
function end(
  ending: Ending,
  state: 'done' | 'dead' | 'cancelled',
  details: { reply?: EventId | null; error?: string; failures?: number },
): Statement[] {
  const { lane, taken } = ending;
  // A draft of a reply that never came stays as it is: there is nothing to edit it into.
  const ended: Statement = [
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
  ];
  return [...lastOf(ending), ended, releaseActivationLane(lane)];
}
