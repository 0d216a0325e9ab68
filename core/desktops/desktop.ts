import { NotFoundError } from '../errors.ts';
import type { Executor } from '../store/database.ts';
import type { DesktopController } from '../store/entities/desktops.ts';
import type { DesktopId, HostId, OrganisationId, ThreadId, WorkerId } from '../store/ids.ts';

/** A Desktop as the core knows it. */
export interface Desktop {
  organisation: OrganisationId;
  id: DesktopId;
  /** Whose it is. */
  worker: WorkerId;
  /** That Worker's name. */
  workerName: string;
  /** Null: the Worker has one for all its Threads. */
  thread: ThreadId | null;
  desired: 'running' | 'stopped';
  state: 'starting' | 'running' | 'stopped' | 'failed';
  /** Why it failed or stopped: a sentence for people; else empty. */
  detail: string;
  generation: number;
  host: HostId | null;
  width: number;
  height: number;
  /** Who has the input; null: the agent may. */
  controller: DesktopController | null;
}

/** The columns of `desktop` under the names of {@link Desktop}, for `select ${desktopColumns} from desktop d`. */
export const desktopColumns = `
  d.organisation, d.id, d.worker,
  (select dw.name from worker dw where dw.organisation = d.organisation and dw.id = d.worker) as "workerName",
  d.thread, d.desired, d.state, d.detail, d.generation, d.host, d.width, d.height, d.controller`;

/** @throws NotFoundError when there is none of this id. */
export async function getDesktop(executor: Executor, organisation: OrganisationId, id: DesktopId): Promise<Desktop> {
  const [desktop] = await executor.query<Desktop>(
    `select ${desktopColumns} from desktop d where d.organisation = $1 and d.id = $2`,
    [organisation, id],
  );
  if (!desktop) throw unknownDesktop(id);
  return desktop;
}

/** The Desktop of a Worker in a Thread, or the one for all its Threads (`thread` null); null: it never had one. */
export async function findDesktop(
  executor: Executor,
  organisation: OrganisationId,
  owner: { worker: WorkerId; thread: ThreadId | null },
): Promise<Desktop | null> {
  const [desktop] = await executor.query<Desktop>(
    `select ${desktopColumns} from desktop d
     where d.organisation = $1 and d.worker = $2 and coalesce(d.thread, '') = coalesce($3, '')`,
    [organisation, owner.worker, owner.thread],
  );
  return desktop ?? null;
}

/** Whose Desktop is meant by a Worker in a Thread: its Role may ask for one for all Threads. */
export async function ownerOfDesktop(
  executor: Executor,
  organisation: OrganisationId,
  worker: WorkerId,
  thread: ThreadId,
): Promise<{ worker: WorkerId; thread: ThreadId | null }> {
  const [row] = await executor.query<{ desktop: 'thread' | 'worker' }>(
    `select r.desktop from worker w
       join "position" p on p.organisation = w.organisation and p.id = w.position
       join role r on r.organisation = p.organisation and r.id = p.role
     where w.organisation = $1 and w.id = $2`,
    [organisation, worker],
  );
  return { worker, thread: row?.desktop === 'worker' ? null : thread };
}

/** The one wording for a Desktop that isn't there, or not for the one who asks. */
export function unknownDesktop(id: string): NotFoundError {
  return new NotFoundError(`unknown desktop "${id}": say \`desktop\` in a thread to get its own`);
}

/** "Assistant's desktop". */
export function titleOf({ workerName }: Pick<Desktop, 'workerName'>): string {
  return `${workerName}'s desktop`;
}
