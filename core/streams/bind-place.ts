import { assistantWorker } from '../organisation/seed.ts';
import type { Database, Executor } from '../store/database.ts';
import { type BindingId, idFromName, newId, type OrganisationId, type StreamId, type WorkerId } from '../store/ids.ts';
import { type BoundPlace, findPlace, type Place } from './find-place.ts';

/** What a platform tells of a place. */
export interface PlaceDescription {
  /** The Stream's name: `#general`. */
  name: string;
  /** What the Stream's id is made of: `slack general` becomes `s-slack-general`. */
  idFrom: string;
  description: string;
  /**
   * Not everybody of the Organisation may see it there (a DM, a private channel): then its Threads are readable by their
   * participants only (design rule 12).
   */
  isPrivate: boolean;
}

/**
 * The Stream bound to a place; if nothing is bound to it, a new one with this Binding and Assistant as its default Worker. Several
 * processes that meet a place at the same time make one Stream.
 *
 * @param describe asked only for a new place. Undefined: the platform did not tell (in time). The Stream is private and named after
 *   the place's id until {@link describePlace}: what is unknown is nobody's to read.
 */
export async function findOrBindPlace(
  database: Database,
  place: Place,
  describe: () => Promise<PlaceDescription | undefined>,
): Promise<BoundPlace> {
  const known = await findPlace(database, place);
  if (known) return known;
  const description = await describe();
  await database.transaction((tx) => bindPlace(tx, place, description));
  const bound = await findPlace(database, place);
  if (!bound) throw new Error(`a place of ${place.kind} was bound and is not there`);
  return bound;
}

async function bindPlace(tx: Executor, place: Place, description: PlaceDescription | undefined): Promise<void> {
  const { organisation, kind, externalId } = place;
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `bind ${organisation} ${kind} ${externalId}`,
  ]);
  const taken = await tx.query('select 1 from binding where organisation = $1 and kind = $2 and external_id = $3', [
    organisation,
    kind,
    externalId,
  ]);
  if (taken.length > 0) return;
  const stream = await makeStream(tx, place, description);
  const binding: BindingId = newId('b');
  await tx.query(
    `insert into binding (organisation, id, stream, kind, external_id, config) values ($1, $2, $3, $4, $5, $6)`,
    [organisation, binding, stream, kind, externalId, JSON.stringify(description ? {} : { undescribed: true })],
  );
  if (description) await letDefaultWorkerRead(tx, organisation, stream);
}

async function makeStream(
  tx: Executor,
  { organisation, kind, externalId }: Place,
  about: PlaceDescription | undefined,
): Promise<StreamId> {
  const base = idFromName('s', about?.idFrom ?? `${kind} ${externalId}`);
  const worker = await firstWorker(tx, organisation);
  for (let number = 1; ; number++) {
    const id: StreamId = number === 1 ? base : `${base}-${number}`;
    const made = await tx.query(
      `insert into stream (organisation, id, name, description, kind, default_worker) values ($1, $2, $3, $4, $5, $6)
       on conflict do nothing returning 1`,
      [organisation, id, about?.name ?? externalId, about?.description ?? '', kindOf(about), worker],
    );
    if (made.length > 0) return id;
  }
}

/** Assistant; where it was dismissed, the AI Worker that has been there longest. */
async function firstWorker(tx: Executor, organisation: OrganisationId): Promise<WorkerId | null> {
  const [row] = await tx.query<{ id: WorkerId }>(
    `select id from worker where organisation = $1 and kind = 'ai' and dismissed_at is null
     order by id <> $2, created_at, id limit 1`,
    [organisation, assistantWorker],
  );
  return row?.id ?? null;
}

/** In a Stream that is read by subscription, the Worker that answers there must be able to look something up. */
async function letDefaultWorkerRead(tx: Executor, organisation: OrganisationId, stream: StreamId): Promise<void> {
  await tx.query(
    `insert into subscription (organisation, worker, stream, mode)
     select $1, default_worker, id, 'mentions' from stream
     where organisation = $1 and id = $2 and kind = 'channel' and default_worker is not null
     on conflict do nothing`,
    [organisation, stream],
  );
}

/** Enters what the platform told after the place had been bound. Nothing happens to one that was described before. */
export async function describePlace(
  database: Database,
  organisation: OrganisationId,
  binding: BindingId,
  about: PlaceDescription,
): Promise<void> {
  await database.transaction(async (tx) => {
    const [row] = await tx.query<{ stream: StreamId }>(
      `update binding set config = config - 'undescribed' where organisation = $1 and id = $2 and config ? 'undescribed'
       returning stream`,
      [organisation, binding],
    );
    if (!row) return;
    await tx.query('update stream set name = $3, description = $4, kind = $5 where organisation = $1 and id = $2', [
      organisation,
      row.stream,
      about.name,
      about.description,
      kindOf(about),
    ]);
    await letDefaultWorkerRead(tx, organisation, row.stream);
  });
}

function kindOf(about: PlaceDescription | undefined): 'channel' | 'dm' {
  return about && !about.isPrivate ? 'channel' : 'dm';
}
