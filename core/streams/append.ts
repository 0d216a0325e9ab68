import type { Core } from '../core.ts';
import type { LaneKey, LaneKind } from '../dispatch/lane.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import { type BatchOutcome, batching, oncePer } from '../store/batching.ts';
import { type Database, type Executor, isUniqueViolation, type Statement } from '../store/database.ts';
import type { BindingId, EventId, OrganisationId, ThreadId, WorkerId } from '../store/ids.ts';
import { type Appended, type AppendInput, coreScope } from './append-input.ts';
import { decideWhoWakes } from './decide-who-wakes.ts';
import { type Resolved, resolveAppends } from './resolve-appends.ts';
import { type PlannedAppend, prepareWrite, writeAppends } from './write-appends.ts';

export { type Appended, type AppendInput, coreScope } from './append-input.ts';

const attempts = 5;

/** What was found out with a message's place holds for so long; then somebody may have joined or muted its Thread. */
const resolvedForMs = 100;

/** Messages that come at the same time are written together: so many at most, in so many batches at once. */
const batchLimits = { atMost: 64, inFlight: 2 };

/**
 * The only way into a Stream. Receipt, Event, Triggers and Deliveries are written by one statement; when this returns they are
 * committed, and the dispatcher and the outbox have been told. Two appends of one external id give one Event.
 *
 * @throws NotFoundError when the Stream or the Thread is unknown, UnavailableError when the database is away: then nothing was
 * accepted.
 */
export async function append(
  core: Pick<Core, 'database' | 'waking' | 'metrics'>,
  input: AppendInput,
): Promise<Appended> {
  const appended =
    (input.hops ?? 0) === 0 ? await queueOf(core.database)(input) : await appendAlone(core.database, input);
  const { thread, woken, deliveries } = appended;
  const bindings = deliveries.map(({ binding }) => binding);
  core.waking.announceLanes(lanesOf(input.organisation, thread, woken, bindings));
  if (!appended.duplicate) {
    core.metrics.eventAppended(appended.streamKind, input.sourceKind);
    core.metrics.triggersWritten(appended.woken.length);
  }
  return appended;
}

/** The Lanes of a Thread in which an Event has left something to do: it wakes these Workers and goes out to these Bindings. */
export function lanesOf(
  organisation: OrganisationId,
  thread: ThreadId,
  woken: readonly WorkerId[],
  bindings: readonly BindingId[],
): LaneKey[] {
  const lane = (kind: LaneKind) => (owner: string) => ({ organisation, kind, owner, thread });
  return [...woken.map(lane('activation')), ...bindings.map(lane('delivery'))];
}

/**
 * {@link append} inside the caller's transaction; the caller announces after its commit. A unique violation (the same external
 * id at the same moment) is thrown and has ended the transaction.
 */
export async function appendWithin(tx: Executor, input: AppendInput): Promise<Appended> {
  const [resolved] = await resolveAppends(tx, [input]);
  if (!resolved) throw new Error('resolving one message gave nothing');
  const plan = planOf(input, resolved);
  if ('seen' in plan) return await duplicateOf(tx, input, plan);
  const [appended] = await writeAppends(tx, [plan]);
  if (!appended) throw new Error('writing one message gave nothing');
  if (plan.hopLimitReached) await tellHopLimit(tx, input, appended);
  return appended;
}

/**
 * {@link appendWithin} as one statement, for a caller that sends it with others and has resolved its Message before. Null when it takes
 * more than that: the Message is here already, or the hop limit is to be told.
 */
export function prepareAppend(
  input: AppendInput,
  resolved: Resolved,
): { statement: Statement; event: EventId; woken: WorkerId[] } | null {
  const plan = planOf(input, resolved);
  if ('seen' in plan || plan.hopLimitReached) return null;
  const { statement, events } = prepareWrite([plan]);
  const [event] = events;
  if (!event) throw new Error('writing one message prepared nothing');
  return { statement, event, woken: plan.wake };
}

type Duplicate = Pick<PlannedAppend, 'streamKind'> & { seen: NonNullable<Resolved['seen']> };

/** Whom it wakes, or that it is here already. Throws what is wrong with it. */
function planOf(input: AppendInput, resolved: Resolved): (PlannedAppend & { hopLimitReached: boolean }) | Duplicate {
  const { streamKind, seen } = resolved;
  if (streamKind === null) throw new NotFoundError(`unknown stream "${input.stream}"`);
  if (streamKind === 'activation')
    throw new InvalidInputError(
      `"${input.stream}" is the transcript of a worker's activations: it can be read, not written`,
    );
  if (seen) return { streamKind, seen };
  if (input.thread && !resolved.thread)
    throw new NotFoundError(`unknown thread "${input.thread}" in stream "${input.stream}"`);
  const { wake, hopLimitReached } = decideWhoWakes({
    sourceKind: input.sourceKind,
    author: input.author,
    hops: input.hops ?? 0,
    addressed: resolved.addressed.filter((worker) => input.addressed?.includes(worker)),
    addressedByName: input.addressedByName ?? false,
    silent: (input.silent ?? false) || resolved.muted,
    subscribers: resolved.subscribers,
    participants: resolved.participants,
    defaultWorker: resolved.defaultWorker,
  });
  return { input, streamKind, resolved, wake, hopLimitReached };
}

/** One queue a database: what comes at the same time, by whatever door, is committed together. */
const queueOf = oncePer((database: Database) =>
  batching((inputs: AppendInput[]) => appendBatch(database, inputs), batchLimits),
);

/** One batch in two round trips. What collides within it, or with somebody else, goes alone. */
async function appendBatch(database: Database, inputs: AppendInput[]): Promise<BatchOutcome<Appended>[]> {
  const outcomes: (BatchOutcome<Appended> | undefined)[] = inputs.map(() => undefined);
  const resolved = await resolveUnknown(database, inputs);
  const together: { n: number; plan: PlannedAppend }[] = [];
  const taken = new Set<string>();
  for (const [n, input] of inputs.entries()) {
    const about = resolved[n];
    if (!about) throw new Error('resolving a batch gave too little');
    try {
      const plan = planOf(input, about);
      const names = namesOf(input);
      if ('seen' in plan || names.some((name) => taken.has(name))) continue;
      for (const name of names) taken.add(name);
      together.push({ n, plan });
    } catch (error) {
      outcomes[n] = { error };
    }
  }
  if (together.length > 0) {
    try {
      const appended = await writeAppends(
        database,
        together.map(({ plan }) => plan),
      );
      for (const [i, { n }] of together.entries()) {
        const value = appended[i];
        if (value) outcomes[n] = { value };
      }
    } catch (error) {
      // Nothing was written. Something that was found out before may have come by now: it is all asked again, once.
      if (isUniqueViolation(error) && inputs.some((input) => input.resolved))
        return await appendBatch(
          database,
          inputs.map(({ resolved: _, ...input }) => input),
        );
      // If the database is away it is away for each; else one of them is to blame: each goes alone.
      if (together.length === 1 && !isUniqueViolation(error)) throw error;
    }
  }
  return await Promise.all(
    outcomes.map(async (outcome, n) => {
      const input = inputs[n];
      if (outcome || !input) return outcome ?? { error: new Error('a batch lost one of its messages') };
      try {
        return { value: await appendAlone(database, input) };
      } catch (error) {
        return { error };
      }
    }),
  );
}

/** Asks about those of which it is not known yet, in one round trip if at all. */
async function resolveUnknown(database: Database, inputs: readonly AppendInput[]): Promise<(Resolved | undefined)[]> {
  const since = performance.now() - resolvedForMs;
  const known = inputs.map(({ resolved }) => (resolved && resolved.foundAt > since ? resolved.facts : undefined));
  const unknown = inputs.filter((_, n) => !known[n]);
  const found = unknown.length > 0 ? await resolveAppends(database, unknown) : [];
  return known.map((facts) => facts ?? found.shift());
}

/** The names by which two Messages of one batch would collide. */
function namesOf(input: AppendInput): string[] {
  const names = (input.receipts ?? []).map((key) => `r\n${input.organisation}\n${input.cameBy ?? coreScope}\n${key}`);
  if (input.threadPlace && !input.thread)
    names.push(`t\n${input.organisation}\n${input.threadPlace.binding}\n${input.threadPlace.externalId}`);
  return names;
}

async function appendAlone(database: Database, input: AppendInput): Promise<Appended> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction((tx) => appendWithin(tx, input));
    } catch (error) {
      // Somebody else entered the same receipt, or made the same Thread, since we looked: look again.
      if (!isUniqueViolation(error) || attempt === attempts) throw error;
    }
  }
}

/** Enters the keys not seen yet, so that every name of the platform leads to the one Event. */
async function duplicateOf(tx: Executor, input: AppendInput, { seen, streamKind }: Duplicate): Promise<Appended> {
  await tx.query(
    `insert into receipt (organisation, binding, external_id, event) select $1, $2, unnest($3::text[]), $4 on conflict do nothing`,
    [input.organisation, input.cameBy ?? coreScope, input.receipts ?? [], seen.event],
  );
  return { ...seen, stream: input.stream, streamKind, duplicate: true, woken: [], deliveries: [] };
}

/** Once for each originating Event. */
async function tellHopLimit(tx: Executor, input: AppendInput, appended: Appended): Promise<void> {
  await appendWithin(tx, {
    organisation: input.organisation,
    stream: input.stream,
    thread: appended.thread,
    author: null,
    sourceKind: 'notice',
    message: {
      body: 'The agents have answered one another often enough: I have stopped them here. Say something, and they go on.',
    },
    receipts: [`hop-limit:${input.origin ?? appended.event}`],
  });
}
