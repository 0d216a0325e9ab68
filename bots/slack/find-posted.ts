import type { WebClient } from '@slack/web-api';
import { isChatPlace } from '../../core/streams/chat-thread.ts';

/** The metadata by which a message of ours is recognised (docs.slack.dev/messaging/message-metadata). */
export const deliveryMetadata = 'switchboard_delivery';

/** Clocks of ours and Slack's may differ by so much, in seconds. */
const clockSeconds = 300;
const pageSize = 200;
const mostPages = 5;

/**
 * Looks in Slack for the message that shows a Delivery: posted by a process that was lost before it could write down the message's
 * ts, or by a request whose answer never came. Undefined: there is none.
 *
 * @throws what the Web API client throws
 */
export async function findPosted(
  client: WebClient,
  asked: { channel: string; threadPlace: string | null; delivery: string; since: Date },
): Promise<string | undefined> {
  const { channel, threadPlace } = asked;
  const oldest = String(Math.floor(asked.since.getTime() / 1000) - clockSeconds);
  let cursor: string | undefined;
  for (let page = 1; page <= mostPages; page++) {
    const options = { channel, oldest, limit: pageSize, include_all_metadata: true, ...(cursor ? { cursor } : {}) };
    const found =
      threadPlace === null || isChatPlace(threadPlace)
        ? await client.conversations.history(options)
        : await client.conversations.replies({ ...options, ts: threadPlace });
    for (const message of found.messages ?? []) {
      const metadata = message.metadata as { event_type?: string; event_payload?: Record<string, unknown> } | undefined;
      if (metadata?.event_type === deliveryMetadata && metadata.event_payload?.delivery === asked.delivery)
        return message.ts;
    }
    cursor = found.response_metadata?.next_cursor;
    if (!cursor) return undefined;
  }
  return undefined;
}
