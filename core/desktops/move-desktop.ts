import type { Core } from '../core.ts';
import { SwitchboardError } from '../errors.ts';
import type { Transaction } from '../store/database.ts';
import type { DesktopId, OrganisationId, StreamId } from '../store/ids.ts';
import { appendWithin } from '../streams/append.ts';
import { type Desktop, desktopColumns, titleOf } from './desktop.ts';
import { chooseHost, isAlive, lockPlacement } from './place-desktop.ts';
import { endDesktop } from './stop-desktop.ts';

/** Which Desktop, and as which of its generations it was lost. */
export interface LostDesktop {
  organisation: OrganisationId;
  id: DesktopId;
  generation: number;
}

/**
 * Gives a Desktop that its Host has lost to a Host that has room, as the next generation, and says so in its Thread; without room it
 * stops, and that is said. Nothing happens if another core process was faster.
 *
 * @param why a clause that a person understands, such as "its host was lost"
 */
export async function moveDesktop(
  core: Pick<Core, 'database' | 'waking' | 'log'>,
  lost: LostDesktop,
  why: string,
): Promise<void> {
  const moved = await core.database.transaction(async (tx) => {
    await lockPlacement(tx);
    const [desktop] = await tx.query<Desktop>(
      `select ${desktopColumns} from desktop d
       where d.organisation = $1 and d.id = $2 and d.generation = $3 and d.desired = 'running' for update`,
      [lost.organisation, lost.id, lost.generation],
    );
    if (!desktop) return null;
    // It counts itself among those that run: its Organisation's limit was kept when it began.
    const limit = Number.POSITIVE_INFINITY;
    const refused = await chooseHost(tx, lost.organisation, { limit, last: desktop.host }).then(
      (host) => restartOn(tx, lost, host),
      (error: unknown) => {
        if (error instanceof SwitchboardError) return error;
        throw error;
      },
    );
    if (!refused) {
      await tell(
        tx,
        desktop,
        `${titleOf(desktop)} was started anew: ${why}. What was open is gone; its files are kept.`,
      );
      return 'moved';
    }
    await tx.query(...endDesktop(lost.organisation, lost.id, { state: 'stopped', detail: why }));
    await tell(
      tx,
      desktop,
      `${titleOf(desktop)} has stopped: ${why}, and there is no other place for it (${refused.message}). Its files are kept: say \`desktop\` to start it again.`,
    );
    return 'stopped';
  });
  if (!moved) return;
  core.log.warn({ desktop: lost.id, why, now: moved }, 'a desktop was lost');
  core.waking.announceDesktops();
  core.waking.announce('delivery');
}

/** The Desktops of Hosts that have been silent for too long. */
export async function findLostDesktops(core: Pick<Core, 'database'>): Promise<LostDesktop[]> {
  return await core.database.query<LostDesktop>(
    `select d.organisation, d.id, d.generation from desktop d left join host h on h.id = d.host
     where d.desired = 'running' and (h.id is null or not ${isAlive('h')}) order by d.organisation, d.id`,
  );
}

async function restartOn(tx: Transaction, lost: LostDesktop, host: string): Promise<null> {
  await tx.query(
    `update desktop set generation = generation + 1, host = $3, state = 'starting', detail = '', viewers = 0, controller = null,
       started_at = now() where organisation = $1 and id = $2`,
    [lost.organisation, lost.id, host],
  );
  return null;
}

/** Says it in the Desktop's Thread; one that serves all Threads has none. */
export async function tell(
  tx: Transaction,
  desktop: Pick<Desktop, 'organisation' | 'thread'>,
  body: string,
): Promise<void> {
  if (!desktop.thread) return;
  const [thread] = await tx.query<{ stream: StreamId }>(
    'select stream from thread where organisation = $1 and id = $2',
    [desktop.organisation, desktop.thread],
  );
  if (!thread) return;
  await appendWithin(tx, {
    organisation: desktop.organisation,
    stream: thread.stream,
    thread: desktop.thread,
    author: null,
    sourceKind: 'notice',
    message: { body },
  });
}
