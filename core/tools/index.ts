import { askForHelp } from './ask-for-help.ts';
import { controlDesktop } from './control-desktop.ts';
import { createPosition } from './create-position.ts';
import { createRole } from './create-role.ts';
import { createStream } from './create-stream.ts';
import { desktopClick } from './desktop-click.ts';
import { desktopKey } from './desktop-key.ts';
import { desktopOpenUrl } from './desktop-open-url.ts';
import { desktopReadFile } from './desktop-read-file.ts';
import { desktopRun } from './desktop-run.ts';
import { desktopScreenshot } from './desktop-screenshot.ts';
import { desktopScroll } from './desktop-scroll.ts';
import { desktopType } from './desktop-type.ts';
import { desktopWriteFile } from './desktop-write-file.ts';
import { dismissWorker } from './dismiss-worker.ts';
import { dm } from './dm.ts';
import { getGrant } from './get-grant.ts';
import { getPosition } from './get-position.ts';
import { getRole } from './get-role.ts';
import { getStream } from './get-stream.ts';
import { getWorker } from './get-worker.ts';
import { grant } from './grant.ts';
import { hireWorker } from './hire-worker.ts';
import { inviteWorkers } from './invite-workers.ts';
import { listDead } from './list-dead.ts';
import { listGrants } from './list-grants.ts';
import { listPositions } from './list-positions.ts';
import { listRoles } from './list-roles.ts';
import { listStreams } from './list-streams.ts';
import { listWorkers } from './list-workers.ts';
import { publish } from './publish.ts';
import { readEvents } from './read-events.ts';
import { retryDead } from './retry-dead.ts';
import { revoke } from './revoke.ts';
import { shareDesktop } from './share-desktop.ts';
import { streamMembers } from './stream-members.ts';
import { subscribe } from './subscribe.ts';
import type { Tool } from './tool.ts';
import { unsubscribe } from './unsubscribe.ts';
import { updateIdentity } from './update-identity.ts';
import { updateRole } from './update-role.ts';
import { workerLog } from './worker-log.ts';

/** Every tool, in the order in which a Worker sees those that it holds. */
export const allTools: readonly Tool[] = [
  publish,
  dm,
  readEvents,
  listStreams,
  getStream,
  streamMembers,
  createStream,
  subscribe,
  unsubscribe,
  inviteWorkers,
  listWorkers,
  getWorker,
  workerLog,
  hireWorker,
  updateIdentity,
  dismissWorker,
  listRoles,
  getRole,
  createRole,
  updateRole,
  listPositions,
  getPosition,
  createPosition,
  listGrants,
  getGrant,
  grant,
  revoke,
  listDead,
  retryDead,
  desktopScreenshot,
  desktopClick,
  desktopType,
  desktopKey,
  desktopScroll,
  desktopOpenUrl,
  desktopRun,
  desktopReadFile,
  desktopWriteFile,
  shareDesktop,
  askForHelp,
  controlDesktop,
];

const byName = new Map<string, Tool>(allTools.map((tool) => [tool.name, tool]));

/** The tool of this name, whoever may call it. */
export function findTool(name: string): Tool | undefined {
  return byName.get(name);
}
