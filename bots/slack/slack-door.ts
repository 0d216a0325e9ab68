import type { WebClient } from '@slack/web-api';
import type { Core } from '../../core/core.ts';
import type { Delivered, Door, OutgoingDelivery, PrivateAnswer } from '../../core/delivery/door.ts';
import { blockBudget, secondsBlocked, takeFromBudget } from '../../core/delivery/rate-budget.ts';
import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import { isChatPlace } from '../../core/streams/chat-thread.ts';
import { callFailure, retryAfterOf, slackErrorCode, surelyNotDone } from './call-failure.ts';
import { type Composed, composeMessage, composePrivate } from './compose-message.ts';
import { deliveryMetadata, findPosted } from './find-posted.ts';
import type { Workspace } from './identify-workspace.ts';
import { messageKey, tsOf } from './message-key.ts';
import { shareFiles } from './share-files.ts';
import { showStill } from './show-still.ts';
import type { SlackContent } from './text-to-slack.ts';

/** What the door needs of a running house. */
interface Connected {
  core: Pick<Core, 'database' | 'log' | 'metrics'>;
  client: WebClient;
  workspace: Workspace;
}

/** chat.update: Tier 3, about 50 a minute for a workspace (docs.slack.dev/apis/web-api/rate-limits). */
const edits = { perMinute: 50, burst: 20 };

/** So many Deliveries are remembered that Slack has refused: they need not be looked for. */
const mostRefused = 2000;

/** A message that cannot be edited (any more), for whatever reason of the workspace's own. */
const notEditable = new Set(['edit_window_closed', 'cant_update_message']);

/**
 * The way out to Slack: one message for each reply, posted with its first visible text and edited while it grows. Made before the
 * core; what should go out before it is connected waits.
 */
export class SlackDoor implements Door {
  readonly kind = 'slack';
  readonly drafts = true;
  #connected: Connected | undefined;
  readonly #refused = new Set<string>();

  connect(connected: Connected): void {
    this.#connected = connected;
  }

  async deliver(delivery: OutgoingDelivery): Promise<Delivered> {
    const connected = this.#orLater();
    const posted = delivery.externalId ? tsOf(delivery.externalId) : await this.#findEarlier(connected, delivery);
    const composed = composeMessage(delivery);
    const delivered = posted
      ? await this.#edit(connected, delivery, composed, posted)
      : await this.#post(connected, delivery, composed);
    await beginThread(connected.core, delivery, tsOf(delivered.externalId));
    if (!delivery.files?.length) return delivered;
    return await this.#share(connected, delivery, delivered);
  }

  /**
   * Slack shows it to that person until their client is started again, and keeps it nowhere. It comes without a picture: the person has
   * clicked or written this moment, Slack waits 3 s for our answer to that, and an upload takes four calls.
   */
  async tellAlone(answer: PrivateAnswer): Promise<void> {
    const connected = this.#orLater();
    const { core, client, workspace } = connected;
    const { organisation, threadPlace } = answer;
    const budget = `slack ${workspace.team} chat.postEphemeral`;
    await refuseWhileBlocked(core, organisation, budget);
    try {
      await client.chat.postEphemeral({
        channel: answer.binding.externalId,
        // an Identity is known by workspace and user
        user: answer.person.slice(answer.person.lastIndexOf(':') + 1),
        ...composePrivate(answer.text, answer.card),
        ...threadOf(threadPlace),
      });
    } catch (error) {
      await holdBack(core, organisation, budget, error);
      throw callFailure(error);
    }
  }

  #orLater(): Connected {
    if (!this.#connected) throw new OutsideUnavailable('Slack has not been reached yet', { retryAfterSeconds: 1 });
    return this.#connected;
  }

  /** What an earlier attempt may have posted. Looked for only when its outcome is not known. */
  async #findEarlier({ core, client }: Connected, delivery: OutgoingDelivery): Promise<string | undefined> {
    if (!delivery.repeated || this.#refused.has(delivery.id)) return undefined;
    const channel = delivery.binding.externalId;
    try {
      const found = await findPosted(client, {
        channel,
        threadPlace: delivery.threadPlace,
        delivery: delivery.id,
        since: delivery.createdAt,
      });
      if (found) core.log.info({ delivery: delivery.id }, 'an earlier attempt had reached Slack');
      return found;
    } catch (error) {
      // Slack says that we may not look, or that there is nothing to look at: posting will tell the rest.
      if (slackErrorCode(error) !== undefined && !(callFailure(error) instanceof OutsideUnavailable)) {
        core.log.debug({ delivery: delivery.id, err: error }, 'an earlier attempt could not be looked for');
        return undefined;
      }
      throw callFailure(error);
    }
  }

  async #post(connected: Connected, delivery: OutgoingDelivery, composed: Composed): Promise<Delivered> {
    const { core, client, workspace } = connected;
    const { organisation, threadPlace, card } = delivery;
    const channel = delivery.binding.externalId;
    const budget = `slack ${workspace.team} chat.postMessage ${channel}`;
    await refuseWhileBlocked(core, organisation, budget);
    try {
      const { ts } = await say(connected, organisation, composed, card, (content) =>
        client.chat.postMessage({
          channel,
          ...content,
          ...threadOf(threadPlace),
          metadata: { event_type: deliveryMetadata, event_payload: { delivery: delivery.id } },
          unfurl_links: false,
          unfurl_media: false,
        }),
      );
      if (!ts) throw new Error('Slack took a message and gave it no ts');
      this.#refused.delete(delivery.id);
      return { externalId: messageKey(channel, ts) };
    } catch (error) {
      if (surelyNotDone(error)) this.#rememberRefused(delivery.id);
      await holdBack(core, organisation, budget, error);
      throw callFailure(error);
    }
  }

  async #edit(connected: Connected, delivery: OutgoingDelivery, composed: Composed, ts: string): Promise<Delivered> {
    const { core, client, workspace } = connected;
    const { organisation, card } = delivery;
    const channel = delivery.binding.externalId;
    const delivered = { externalId: messageKey(channel, ts) };
    const isDraft = delivery.event === null;
    const budget = { organisation, key: `slack ${workspace.team} chat.update`, ...edits };
    const wait = await takeFromBudget(core.database, budget, isDraft ? 'may' : 'must');
    if (wait > 0) {
      // A draft that is not shown now is shown with its next piece, or with the finished reply.
      if (isDraft) return delivered;
      throw new OutsideUnavailable('Slack has asked to wait with edits', { retryAfterSeconds: wait });
    }
    try {
      await say(connected, organisation, composed, card, (content) => client.chat.update({ channel, ts, ...content }));
      return delivered;
    } catch (error) {
      await holdBack(core, organisation, budget.key, error);
      const code = slackErrorCode(error);
      if (code !== undefined && notEditable.has(code)) {
        if (isDraft) return delivered;
        // The reply matters more than that it is one message.
        return await this.#post(connected, delivery, composed);
      }
      throw callFailure(error);
    }
  }

  /** The files of a message that stands. That Slack will never take them is said in the message. */
  async #share(connected: Connected, delivery: OutgoingDelivery, delivered: Delivered): Promise<Delivered> {
    const { core, client, workspace } = connected;
    const { organisation, id, files = [], threadPlace, repeated } = delivery;
    const budget = `slack ${workspace.team} files`;
    const message = tsOf(delivered.externalId);
    // From here on the message is known, whatever becomes of the files.
    await core.database.query('update delivery set external_id = $3 where organisation = $1 and id = $2', [
      organisation,
      id,
      delivered.externalId,
    ]);
    await refuseWhileBlocked(core, organisation, budget);
    try {
      const channel = delivery.binding.externalId;
      const shared = await shareFiles(client, workspace, { channel, threadPlace, message, files, repeated });
      return { ...delivered, externalIds: shared };
    } catch (error) {
      await holdBack(core, organisation, budget, error);
      const failure = callFailure(error);
      if (!(failure instanceof PermanentFailure)) throw failure;
      core.log.warn({ delivery: id, err: failure }, 'Slack does not take the files of a message');
      const names = files.map(({ name, url }) => (url ? `[${name}](${url})` : name)).join(', ');
      const text = `${delivery.text.trim()}\n\n_(${names} could not be sent as a file: ${failure.message}.)_`;
      return await this.#edit(connected, delivery, composeMessage({ ...delivery, text }), message);
    }
  }

  #rememberRefused(delivery: string): void {
    if (this.#refused.size >= mostRefused) this.#refused.delete(this.#refused.values().next().value ?? '');
    this.#refused.add(delivery);
  }
}

/** Sends content with the still of its Desktop, and once more without it where Slack finds fault with the blocks. */
async function say<T>(
  connected: Connected,
  organisation: OrganisationId,
  composed: Composed,
  card: OutgoingDelivery['card'],
  send: (content: SlackContent) => Promise<T>,
): Promise<T> {
  const still = await showStill(connected, organisation, card);
  try {
    return await send(composed(still.picture));
  } catch (error) {
    if (still.picture === undefined || slackErrorCode(error) !== 'invalid_blocks') throw error;
    still.leaveOut(error);
    return await send(composed(undefined));
  }
}

/** A message that stands alone in a channel begins a thread there: what people answer in it comes into this Thread. */
async function beginThread(core: Connected['core'], delivery: OutgoingDelivery, ts: string): Promise<void> {
  const { organisation, binding, thread, threadPlace } = delivery;
  // A direct message is one conversation, and its Thread's place is the chat.
  if (threadPlace !== null || binding.externalId.startsWith('D')) return;
  await core.database.query(
    `insert into thread_binding (organisation, binding, external_id, thread) values ($1, $2, $3, $4) on conflict do nothing`,
    [organisation, binding.id, ts, thread],
  );
}

function threadOf(threadPlace: string | null): { thread_ts?: string } {
  return threadPlace === null || isChatPlace(threadPlace) ? {} : { thread_ts: threadPlace };
}

async function refuseWhileBlocked(core: Connected['core'], organisation: OrganisationId, key: string): Promise<void> {
  const blocked = await secondsBlocked(core.database, organisation, key);
  if (blocked > 0) throw new OutsideUnavailable('Slack has asked to wait', { retryAfterSeconds: blocked });
}

/** After a 429 no process asks for the same before Slack's time is over. */
async function holdBack(
  core: Connected['core'],
  organisation: OrganisationId,
  key: string,
  error: unknown,
): Promise<void> {
  const seconds = retryAfterOf(error);
  if (seconds !== undefined) await blockBudget(core.database, organisation, key, seconds);
}
