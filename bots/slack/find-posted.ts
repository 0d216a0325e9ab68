import type { WebClient } from '@slack/web-api';
import { readConversation } from './read-conversation.ts';

/** The metadata by which a message of ours is recognised (docs.slack.dev/messaging/message-metadata). */
export const deliveryMetadata = 'switchboard_delivery';

/** Clocks of ours and Slack's may differ by so much, in seconds. */
const clockSeconds = 300;

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
  const since = String(Math.floor(asked.since.getTime() / 1000) - clockSeconds);
  for await (const message of readConversation(client, { ...asked, since })) {
    const metadata = message.metadata as { event_type?: string; event_payload?: Record<string, unknown> } | undefined;
    if (metadata?.event_type === deliveryMetadata && metadata.event_payload?.delivery === asked.delivery)
      return message.ts;
  }
  return undefined;
}
