import type { WebClient } from '@slack/web-api';
import type { Core } from '../../core/core.ts';
import type { DesktopCard } from '../../core/delivery/door.ts';
import { blockBudget, secondsBlocked } from '../../core/delivery/rate-budget.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import { callFailure, retryAfterOf } from './call-failure.ts';
import type { Workspace } from './identify-workspace.ts';
import { fileOnce, uploadFile } from './upload-file.ts';

/** The still of a Desktop, ready for a block. */
export interface ShownStill {
  /** The id of the uploaded file; undefined: the message goes without a picture. */
  picture: string | undefined;
  /** Notes that it was left out, and why. */
  leaveOut(why: unknown): void;
}

/**
 * Uploads the still of a Desktop for an image block. A message matters more than its picture: whatever goes wrong is logged and
 * counted (`switchboard_deliveries_total`, outcome `without_picture`), and the message goes without it.
 */
export async function showStill(
  {
    core,
    client,
    workspace,
  }: { core: Pick<Core, 'database' | 'log' | 'metrics'>; client: WebClient; workspace: Workspace },
  organisation: OrganisationId,
  card: DesktopCard | undefined,
): Promise<ShownStill> {
  const leaveOut = (why: unknown) => {
    core.metrics.deliveryAttempted('slack', 'without_picture');
    core.log.warn({ err: callFailure(why) }, 'a desktop goes to Slack without its picture');
  };
  if (!card?.still) return { picture: undefined, leaveOut };
  const budget = `slack ${workspace.team} files`;
  try {
    const blocked = await secondsBlocked(core.database, organisation, budget);
    if (blocked > 0) throw new Error('Slack has asked to wait with files');
    const id = await uploadFile(client, { name: 'desktop.jpg', type: 'image/jpeg', data: card.still.data });
    // Before Slack has looked at it, a block with it is refused.
    const file = await fileOnce(client, id, ({ mimetype }) => Boolean(mimetype));
    if (!file) throw new Error('Slack took the picture and does not show it');
    return { picture: id, leaveOut };
  } catch (error) {
    const seconds = retryAfterOf(error);
    if (seconds !== undefined) await blockBudget(core.database, organisation, budget, seconds);
    leaveOut(error);
    return { picture: undefined, leaveOut };
  }
}
