import type { Core } from '../core.ts';
import type { HostId, OrganisationId } from '../store/ids.ts';
import { type Desktop, desktopColumns, titleOf } from './desktop.ts';
import type { DesktopReport } from './host-messages.ts';
import { moveDesktop, tell } from './move-desktop.ts';
import { endDesktop } from './stop-desktop.ts';

/** A Desktop that has run for less when it ends would only end again: it is not started anew. */
const worthRestartingSeconds = 60;

/** A size that no Host would be given is not believed. */
const leastPixels = 320;

/**
 * Enters what a Host says of one of its Desktops. It counts only for the generation that this Host was given. One that has ended by itself
 * is started anew, if it had run for a while. One that its Host has stopped although it is wanted is still that Host's: it lost the
 * core for a moment, or is itself stopping, and then it is soon silent.
 */
export async function applyReport(
  core: Pick<Core, 'database' | 'waking' | 'log'>,
  host: HostId,
  report: DesktopReport,
): Promise<void> {
  const { id, generation, state, detail, driver, width, height, viewers } = report;
  if (state !== 'failed') {
    const now = state === 'stopped' ? 'starting' : state;
    const changed = await core.database.query(
      `update desktop set state = $4, detail = $5, driver = $6, viewers = $9,
         width = case when $7 >= ${leastPixels} and $8 >= ${leastPixels} then $7::int else width end,
         height = case when $7 >= ${leastPixels} and $8 >= ${leastPixels} then $8::int else height end,
         last_used_at = case when viewers > 0 or $9 > 0 then now() else last_used_at end
       where id = $1 and host = $2 and generation = $3 and desired = 'running' returning 1`,
      [id, host, generation, now, detail, driver, width, height, viewers],
    );
    if (changed.length > 0) core.waking.announceDesktops();
    return;
  }
  const [lost] = await core.database.query<Desktop & { ranLong: boolean }>(
    `select ${desktopColumns}, d.started_at < now() - interval '${worthRestartingSeconds} s' as "ranLong" from desktop d
     where d.id = $1 and d.host = $2 and d.generation = $3 and d.desired = 'running'`,
    [id, host, generation],
  );
  if (!lost) return;
  if (lost.state === 'running' && lost.ranLong)
    return await moveDesktop(core, lost, reason(detail, 'it ended by itself'));
  await giveUp(core, lost.organisation, lost, reason(detail, 'its host could not run it'));
}

/** It has failed: whoever waits for it is told why, and the Thread too if it had been running. */
async function giveUp(
  core: Pick<Core, 'database' | 'waking' | 'log'>,
  organisation: OrganisationId,
  desktop: Desktop,
  detail: string,
): Promise<void> {
  const { id, generation } = desktop;
  await core.database.transaction(async (tx) => {
    const ended = await tx.query(...endDesktop(organisation, id, { state: 'failed', detail, generation }));
    if (ended.length > 0 && desktop.state === 'running')
      await tell(
        tx,
        desktop,
        `${titleOf(desktop)} has stopped: ${detail}. Its files are kept: say \`desktop\` to start it again.`,
      );
  });
  core.log.warn({ desktop: id, detail }, 'a desktop failed');
  core.waking.announceDesktops();
  core.waking.announce('delivery');
}

/** A clause: without the full stop that the sentence around it brings. */
function reason(detail: string, otherwise: string): string {
  return detail.trim().replace(/\.$/, '') || otherwise;
}
