import type { Usage } from '../runtimes/runtime.ts';
import type { Executor, Statement } from '../store/database.ts';
import type { ActivationId, StreamId, WorkerId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';
import { type Lane, leaseSeconds } from './lane.ts';

/** What is stored of an Activation, in order: its start and end, and what its runtime recorded between. */
export type StepKind = 'start' | 'text' | 'tool_call' | 'tool_result' | 'end';

/** A step as it is stored. */
export interface StoredStep {
  kind: StepKind;
  content: Record<string, unknown>;
  usage?: Usage | undefined;
}

/** The Stream on which a Worker's Activations can be read along. Its Events are views of the steps. */
export function activationStreamOf(worker: WorkerId): StreamId {
  return `s-activation-${worker}`;
}

/**
 * Stores one step, if the Lane is still held under its fence. Numbers are allotted under the lock of the activation Stream's
 * row, so that a reader with a cursor misses none.
 *
 * @returns false when the lease is lost: nothing was stored, and nothing else may be.
 */
export async function addStep(
  executor: Executor,
  lane: Lane,
  activation: ActivationId,
  step: StoredStep,
): Promise<boolean> {
  return (await executor.query(...prepareStep(lane, activation, step))).length > 0;
}

/** The statement of {@link addStep}, for a caller that sends it with others: no row when the lease is lost, unless the Lane is locked. */
export function prepareStep(
  lane: Lane,
  activation: ActivationId,
  { kind, content, usage }: StoredStep,
  isLocked = false,
): Statement {
  return [
    `with held as (
       select 1 from lane where organisation = $1 and kind = 'activation' and owner = $2 and thread = $3 and fence = $4
         and (lease_until > clock_timestamp() or $10)
     ), s as (
       update stream set position = position + 1 where organisation = $1 and id = $5 and exists (select 1 from held)
       returning position
     )
     insert into step (organisation, activation, number, stream, position, kind, content, usage)
     select $1, $6, coalesce((select max(number) + 1 from step where organisation = $1 and activation = $6), 1),
            $5, s.position, $7, $8::jsonb, $9::jsonb
     from s returning number`,
    [
      lane.organisation,
      lane.owner,
      lane.thread,
      lane.fence,
      activationStreamOf(lane.owner as WorkerId),
      activation,
      kind,
      toJson(content),
      usage ? JSON.stringify(usage) : null,
      isLocked,
    ],
  ];
}

/** Thrown inside a run when somebody else holds its Lane now (its lease ran out {@link leaseSeconds} after the last heartbeat). */
export class LeaseLost extends Error {
  constructor() {
    super(`the lease ran out: no heartbeat for ${leaseSeconds} s`);
    this.name = 'LeaseLost';
  }
}
