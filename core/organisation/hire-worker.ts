import type { EntityManager } from '@mikro-orm/postgresql';
import { activationStreamOf } from '../dispatch/steps.ts';
import { ConflictError, InvalidInputError, NotFoundError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { GrantEntity, PositionEntity, WorkerEntity } from '../store/entities/organisation.ts';
import { StreamEntity, SubscriptionEntity } from '../store/entities/streams.ts';
import type { OrganisationId, PositionId, StreamId, WorkerId } from '../store/ids.ts';
import { changeOrganisation } from './change-organisation.ts';
import { freeId } from './free-id.ts';
import { unknownPosition } from './positions.ts';
import { workerName } from './worker-name.ts';

/** Whom to hire. */
export interface Hire {
  name: string;
  kind: 'human' | 'ai';
  position: PositionId;
  /** Who it is, in markdown, apart from what its Role says. */
  identity: string;
  grants: readonly string[];
  subscriptions: readonly { stream: StreamId; mode: 'all' | 'mentions' }[];
  /** Reads along on the activation Stream of an AI. */
  hiredBy: WorkerId;
}

/** Who was hired. */
export interface Hired {
  id: WorkerId;
  name: string;
  kind: 'human' | 'ai';
  /** Where an AI's Activations can be read along; null for a human. */
  activationStream: StreamId | null;
}

/**
 * Makes a Worker with everything it needs, in one transaction: seat, Grants, Subscriptions, and for an AI the activation Stream, to which
 * whoever hires is subscribed and the Worker itself is not (it would wake itself).
 *
 * @throws ConflictError when a Worker has that name (it is how people address it), NotFoundError when the Position or a Stream is
 * unknown, InvalidInputError when the name cannot be one or a Stream takes no subscribers.
 */
export async function hireWorker(database: Database, organisation: OrganisationId, hire: Hire): Promise<Hired> {
  const name = workerName(hire.name);
  return await changeOrganisation(database, organisation, async (em) => {
    await refuseTakenName(em, organisation, name);
    const position = await em.findOne(PositionEntity, { organisation, id: hire.position });
    if (!position) throw unknownPosition(hire.position);

    const isTaken = async (id: string) => (await em.count(WorkerEntity, { organisation, id })) > 0;
    const id = await freeId('w', name, isTaken);
    const { kind, identity, hiredBy } = hire;
    const worker = em.create(WorkerEntity, { organisation, id, name, kind, position, identity, hiredBy });
    for (const tool of new Set(hire.grants)) em.create(GrantEntity, { organisation, worker, tool });
    const modes = new Map(hire.subscriptions.map(({ stream, mode }) => [stream, mode]));
    for (const [stream, mode] of modes)
      em.create(SubscriptionEntity, { organisation, worker, stream: await openStream(em, organisation, stream), mode });
    const activationStream = kind === 'ai' ? activationStreamOf(id) : null;
    if (activationStream) {
      const stream = em.create(StreamEntity, {
        organisation,
        id: activationStream,
        name: `${name} at work`,
        description: `What ${name} did in each activation, step by step.`,
        kind: 'activation',
        createdBy: hiredBy,
      });
      const manager = await em.findOne(WorkerEntity, { organisation, id: hiredBy });
      if (!manager) throw new NotFoundError(`unknown worker "${hiredBy}"`);
      em.create(SubscriptionEntity, { organisation, worker: manager, stream, mode: 'all' });
    }
    return { id, name, kind, activationStream };
  });
}

/** Guests may be called anything: nobody addresses them by name. */
async function refuseTakenName(em: EntityManager, organisation: OrganisationId, name: string): Promise<void> {
  const [taken] = await em.execute<{ id: string }[]>(
    `select w.id from worker w where w.organisation = ? and lower(w.name) = lower(?) and w.dismissed_at is null
       and (w.kind = 'ai' or w.position is not null) limit 1`,
    [organisation, name],
  );
  if (taken)
    throw new ConflictError(
      `${taken.id} is called "${name}" already: people pick a worker by its name, choose another`,
    );
}

async function openStream(em: EntityManager, organisation: OrganisationId, id: StreamId) {
  const stream = await em.findOne(StreamEntity, { organisation, id });
  if (!stream) throw new NotFoundError(`unknown stream "${id}": list_streams says which there are`);
  if (stream.kind === 'dm' || stream.kind === 'activation')
    throw new InvalidInputError(
      `"${id}" takes no subscribers at hiring: it is ${stream.kind === 'dm' ? 'a direct message' : 'a transcript'}`,
    );
  return stream;
}
