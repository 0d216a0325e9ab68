import type { ConversationsHistoryResponse, WebClient } from '@slack/web-api';
import { isChatPlace } from '../../core/streams/chat-thread.ts';

/** A message as Slack gives it back. */
export type ReadMessage = NonNullable<ConversationsHistoryResponse['messages']>[number];

const pageSize = 200;
const mostPages = 5;

/**
 * The messages of a thread since a moment, with their metadata: a thousand at the most. Where messages stand in no thread (a DM, or
 * one that is yet to begin), those of the conversation itself.
 *
 * @param since seconds since 1970, or a message's ts: later ones are given
 * @throws what the Web API client throws
 */
export async function* readConversation(
  client: WebClient,
  asked: { channel: string; threadPlace: string | null; since: string },
): AsyncGenerator<ReadMessage> {
  const { channel, threadPlace, since } = asked;
  let cursor: string | undefined;
  for (let page = 1; page <= mostPages; page++) {
    const options = {
      channel,
      oldest: since,
      limit: pageSize,
      include_all_metadata: true,
      ...(cursor ? { cursor } : {}),
    };
    const found =
      threadPlace === null || isChatPlace(threadPlace)
        ? await client.conversations.history(options)
        : await client.conversations.replies({ ...options, ts: threadPlace });
    yield* (found.messages ?? []) as ReadMessage[];
    cursor = found.response_metadata?.next_cursor;
    if (!cursor) return;
  }
}
