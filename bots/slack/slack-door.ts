import type { WebClient } from '@slack/web-api';
import type { Core } from '../../core/core.ts';
import type { Delivered, Door, OutgoingDelivery } from '../../core/delivery/door.ts';
import { blockBudget, secondsBlocked, takeFromBudget } from '../../core/delivery/rate-budget.ts';
import { OutsideUnavailable } from '../../core/dispatch/failure.ts';
import { isChatPlace } from '../../core/streams/chat-thread.ts';
import { callFailure, retryAfterOf, slackErrorCode, surelyNotDone } from './call-failure.ts';
import { deliveryMetadata, findPosted } from './find-posted.ts';
import type { Workspace } from './identify-workspace.ts';
import { messageKey, tsOf } from './message-key.ts';
import { type SlackContent, textToSlack } from './text-to-slack.ts';

/** What the door needs of a running house. */
interface Connected {
  core: Pick<Core, 'database' | 'log'>;
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
    const connected = this.#connected;
    if (!connected) throw new OutsideUnavailable('Slack has not been reached yet', { retryAfterSeconds: 1 });
    const posted = delivery.externalId ? tsOf(delivery.externalId) : await this.#findEarlier(connected, delivery);
    return posted ? await this.#edit(connected, delivery, posted) : await this.#post(connected, delivery);
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

  async #post({ core, client, workspace }: Connected, delivery: OutgoingDelivery): Promise<Delivered> {
    const { organisation, threadPlace } = delivery;
    const channel = delivery.binding.externalId;
    const budget = `slack ${workspace.team} chat.postMessage ${channel}`;
    const blocked = await secondsBlocked(core.database, organisation, budget);
    if (blocked > 0) throw new OutsideUnavailable('Slack has asked to wait', { retryAfterSeconds: blocked });
    try {
      const { ts } = await client.chat.postMessage({
        channel,
        ...contentOf(delivery),
        ...(threadPlace === null || isChatPlace(threadPlace) ? {} : { thread_ts: threadPlace }),
        metadata: { event_type: deliveryMetadata, event_payload: { delivery: delivery.id } },
        unfurl_links: false,
        unfurl_media: false,
      });
      if (!ts) throw new Error('Slack took a message and gave it no ts');
      this.#refused.delete(delivery.id);
      return { externalId: messageKey(channel, ts) };
    } catch (error) {
      if (surelyNotDone(error)) this.#rememberRefused(delivery.id);
      await holdBack(core, organisation, budget, error);
      throw callFailure(error);
    }
  }

  async #edit(connected: Connected, delivery: OutgoingDelivery, ts: string): Promise<Delivered> {
    const { core, client, workspace } = connected;
    const { organisation } = delivery;
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
      await client.chat.update({ channel, ts, ...contentOf(delivery) });
      return delivered;
    } catch (error) {
      await holdBack(core, organisation, budget.key, error);
      const code = slackErrorCode(error);
      if (code !== undefined && notEditable.has(code)) {
        if (isDraft) return delivered;
        // The reply matters more than that it is one message.
        return await this.#post(connected, delivery);
      }
      throw callFailure(error);
    }
  }

  #rememberRefused(delivery: string): void {
    if (this.#refused.size >= mostRefused) this.#refused.delete(this.#refused.values().next().value ?? '');
    this.#refused.add(delivery);
  }
}

/** The text, and links to what is attached: files lie elsewhere and are not copied. */
function contentOf({ event, text }: OutgoingDelivery): SlackContent {
  const files = (event?.attachments ?? []).map(({ name, url }) => {
    const label = name.replace(/[[\]]/g, '\\$&');
    return url ? `[${label}](${url})` : `${label} (cannot be shown in Slack)`;
  });
  return textToSlack([text, ...files].join('\n\n'), { growing: event === null });
}

/** After a 429 no process asks for the same before Slack's time is over. */
async function holdBack(core: Connected['core'], organisation: string, key: string, error: unknown): Promise<void> {
  const seconds = retryAfterOf(error);
  if (seconds !== undefined) await blockBudget(core.database, organisation, key, seconds);
}
