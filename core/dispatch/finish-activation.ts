import type { Core } from '../core.ts';
import type { Outbox } from '../delivery/outbox.ts';
import type { ClaimedRow } from '../delivery/pick-delivery.ts';
import type { Statement, Transaction } from '../store/database.ts';
import type { EventId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { type AppendInput, appendWithin, lanesOf, prepareAppend } from '../streams/append.ts';
import type { Event, Message } from '../streams/message.ts';
import { type Resolved, resolveAppends } from '../streams/resolve-appends.ts';
import { describe, lostLeasesForgiven, type NextAttempt, nextAttempt } from './failure.ts';
import { isLeaseLost, type Lane, type LaneKey, lockLaneOrFail, releaseActivationLane, releaseLane } from './lane.ts';
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
  known: KnownAtEnd = {},
): Promise<NextAttempt['kind'] | 'done'> {
  const ending: Ending = { lane, taken, known };
  try {
    switch (outcome.kind) {
      case 'replied':
        core.waking.announceLanes(await endWithReply(core, ending, 'done', outcome.text.trim()));
        return 'done';
      case 'cancelled': {
        const body = outcome.text.trim();
        const reply = body === '' ? '' : `${body}\n\n_(stopped)_`;
        core.waking.announceLanes(await endWithReply(core, ending, 'cancelled', reply));
        return 'done';
      }
      case 'failed': {
        const next = await core.database.transaction((tx) => failed(tx, ending, outcome.error));
        core.waking.announce();
        return next;
      }
      case 'given_back':
        await core.database.transaction((tx) =>
          tx.commitWith(
            lockLaneOrFail(lane, taken.stream),
            ...lastOf(ending),
            [
              `update activation set state = 'waiting' where organisation = $1 and id = $2`,
              [lane.organisation, taken.id],
            ],
            releaseActivationLane(lane),
          ),
        );
        core.waking.announce();
        return 'retry';
    }
  } catch (error) {
    throw isLeaseLost(error) ? new LeaseLost() : error;
  }
}

/** What is known of an Activation when it ends. */
export interface KnownAtEnd {
  /** The Events that it answers. */
  batch?: readonly Pick<Event, 'id' | 'messageId' | 'subject'>[];
  /** A final text that was recorded and is not stored yet. */
  lastStep?: StoredStep;
  /** What its reply needs to know of its Thread, asked for a moment ago. */
  thread?: Promise<Resolved>;
  /** False: its reply has certainly been shown nowhere yet. */
  drafted?: boolean;
  /** Sends its reply from this process at once. */
  outbox?: Outbox | undefined;
}

/** An Activation that ends, for whatever reason. */
interface Ending {
  lane: Lane;
  taken: Taken;
  known: KnownAtEnd;
}

function lastOf({ lane, taken, known }: Ending): Statement[] {
  return known.lastStep ? [prepareStep(lane, taken.id, known.lastStep, true)] : [];
}

/**
 * The reply, on its way to every place of the Thread, and the end, in one transaction and, but for the rare case, one round trip. An
 * empty body, or `NO_REPLY`, posts nothing.
 *
 * @returns where there is something to do now
 */
async function endWithReply(core: Core, ending: Ending, state: 'done' | 'cancelled', body: string): Promise<LaneKey[]> {
  const { lane, taken } = ending;
  const held = lockLaneOrFail(lane, taken.stream);
  if (body === '' || body === noReply) {
    const ended = await core.database.transaction((tx) => tx.commitWith(held, ...end(ending, state, { reply: null })));
    return stillOpen(lane, ended);
  }
  const resolved = await (ending.known.thread ?? resolveReply(core, lane, taken));
  const isDrafted = ending.known.drafted ?? true;
  const reply: AppendInput = {
    ...replyOf(lane, taken),
    message: { body, ...answeredBy(ending) },
    finishesDrafts: isDrafted,
  };
  const prepared = prepareAppend(reply, resolved);
  const drafts = isDrafted ? [lockDrafts(ending)] : [];
  if (!prepared) {
    const [woken, ended] = await core.database.transaction(async (tx) => {
      await Promise.all([held, ...drafts].map(([text, values]) => tx.query(text, values)));
      const { event, woken } = await appendWithin(tx, reply);
      return [woken, await tx.commitWith(finishDrafts(ending, event), ...end(ending, state, { reply: event }))];
    });
    return [...lanesOf(lane.organisation, lane.thread, woken, resolved.bindings), ...stillOpen(lane, ended)];
  }
  const { statement, event, woken } = prepared;
  const commit = async (claim: Statement | null) => {
    const statements = [
      held,
      ...drafts,
      statement,
      ...(isDrafted ? [finishDrafts(ending, event)] : []),
      ...(claim ? [claim] : []),
      ...end(ending, state, { reply: event }),
    ];
    const ended: unknown[][] = await core.database.transaction((tx) => tx.commitWith(...statements));
    return { claimed: (claim ? ended[statements.indexOf(claim)] : []) as ClaimedRow[], value: ended };
  };
  const { organisation, thread } = lane;
  const { outbox } = ending.known;
  const { begun, value } = outbox
    ? await outbox.sendAlong({ organisation, thread, event, places: resolved.bindings.length }, commit)
    : { begun: [], value: (await commit(null)).value };
  const waiting = resolved.bindings.filter((binding) => !begun.includes(binding));
  return [...lanesOf(organisation, thread, woken, waiting), ...stillOpen(lane, value)];
}

/** The Lane itself, when more waits in it: the last statement of an end says so. */
function stillOpen({ organisation, kind, owner, thread }: Lane, ended: readonly unknown[][]): LaneKey[] {
  const [released] = (ended.at(-1) ?? []) as { isOpen: boolean }[];
  return released?.isOpen ? [{ organisation, kind, owner, thread }] : [];
}

/** What its reply will need to know of its Thread. May be asked as soon as the reply is certain, to save the time at the end. */
export async function resolveReply(core: Pick<Core, 'database'>, lane: Lane, taken: Taken): Promise<Resolved> {
  const [resolved] = await resolveAppends(core.database, [replyOf(lane, taken)]);
  if (!resolved) throw new Error('resolving a reply gave nothing');
  return resolved;
}

function replyOf(lane: Lane, taken: Taken): AppendInput {
  return {
    organisation: lane.organisation,
    stream: taken.stream,
    thread: lane.thread,
    author: taken.worker,
    sourceKind: 'ai',
    hops: taken.hops,
    origin: taken.origin,
    activation: taken.id,
    message: { body: '' },
  };
}

/** What the reply answers: the last message of the batch. A door needs it for its headers and for whom to write to. */
function answeredBy({ known }: Ending): Pick<Partial<Message>, 'inReplyTo' | 'subject' | 'extra'> {
  const last = known.batch?.at(-1);
  if (!last) return {};
  return {
    ...(last.messageId ? { inReplyTo: last.messageId } : {}),
    subject: last.subject,
    extra: { answers: last.id },
  };
}

/** Whoever shows a draft holds its Lane while it writes to it: Lane before Delivery, here too. */
function lockDrafts({ lane, taken }: Ending): Statement {
  return [
    `select 1 from lane where organisation = $1 and kind = 'delivery' and thread = $2 and owner in (
       select binding from delivery where organisation = $1 and activation = $3 and state = 'draft') order by owner for update`,
    [lane.organisation, lane.thread, taken.id],
  ];
}

async function failed(tx: Transaction, ending: Ending, error: unknown): Promise<NextAttempt['kind']> {
  const { lane, taken } = ending;
  const next = nextAttempt(error, taken);
  const reason = describe(error);
  await tx.query(...lockLaneOrFail(lane, taken.stream));
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

/** The end of an Activation, of its Triggers and of its Lane's present claim. */
function end(
  ending: Ending,
  state: 'done' | 'dead' | 'cancelled',
  details: { reply?: EventId | null; error?: string; failures?: number },
): Statement[] {
  const { lane, taken, known } = ending;
  const steps: StoredStep[] = [
    ...(known.lastStep ? [known.lastStep] : []),
    { kind: 'end', content: { outcome: state, ...details } },
  ];
  // A draft of a reply that never came stays as it is: there is nothing to edit it into.
  const ended: Statement = [
    `with last as materialized (
       select * from json_to_recordset($8::json) x(n int, kind text, content jsonb, usage jsonb)
     ), s as (
       update stream set position = position + (select count(*) from last) where organisation = $1 and id = $7
       returning position - (select count(*) from last) as before
     ), st as (
       insert into step (organisation, activation, number, stream, position, kind, content, usage)
       select $1, $2, (select coalesce(max(number), 0) from step where organisation = $1 and activation = $2) + last.n, $7,
         s.before + last.n, last.kind, last.content, last.usage from s, last
     ), t as (
       update trigger set state = $3 where organisation = $1 and activation = $2 and state = 'taken'
     ), d as (
       update delivery set state = 'cancelled' where organisation = $1 and activation = $2 and state = 'draft'
     )
     update activation set state = $3, ended_at = now(), reply = $4, error = $5, failures = coalesce($6, failures),
       waiting_since = null,
       usage = (select jsonb_build_object('inputTokens', coalesce(sum((usage->>'inputTokens')::bigint), 0),
                                          'outputTokens', coalesce(sum((usage->>'outputTokens')::bigint), 0))
                from (select usage from step where organisation = $1 and activation = $2 union all select usage from last) all_steps
                where usage is not null having count(*) > 0)
     where organisation = $1 and id = $2`,
    [
      lane.organisation,
      taken.id,
      state,
      details.reply ?? null,
      details.error ?? null,
      details.failures ?? null,
      activationStreamOf(taken.worker),
      toJson(steps.map((step, n) => ({ n: n + 1, ...step }))),
    ],
  ];
  return [ended, releaseActivationLane(lane)];
}
