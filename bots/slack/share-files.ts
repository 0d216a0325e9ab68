import type { WebClient } from '@slack/web-api';
import type { OutgoingFile } from '../../core/delivery/door.ts';
import { isChatPlace } from '../../core/streams/chat-thread.ts';
import type { Workspace } from './identify-workspace.ts';
import { messageKey } from './message-key.ts';
import { readConversation } from './read-conversation.ts';
import { fileOnce, uploadFile } from './upload-file.ts';

/** Files that go with a message. */
export interface FilesToShare {
  channel: string;
  /** The Thread's place; null: it has none, and the files go into the thread of the message itself. */
  threadPlace: string | null;
  /** The ts of the message that they belong to. */
  message: string;
  files: readonly OutgoingFile[];
  /** An earlier attempt may have shared some of them. */
  repeated: boolean;
}

/**
 * Shares files in the thread of their message, one after the other, each in a message of its own. What an earlier attempt has
 * shared is recognised: by name and size among what the app has said there since. Gives the keys of the messages.
 *
 * @throws what the Web API client throws; an Error when Slack takes a file and does not show it, which happens: the next attempt
 * looks for it first
 */
export async function shareFiles(
  client: WebClient,
  workspace: Workspace,
  { channel, threadPlace, message, files, repeated }: FilesToShare,
): Promise<string[]> {
  const place = threadPlace ?? message;
  const earlier = repeated ? await findShared(client, workspace, { channel, threadPlace: place, since: message }) : [];
  const keys: string[] = [];
  for (const file of files) {
    const at = earlier.findIndex((each) => each.name === file.name && each.size === file.data.length);
    const [known] = at < 0 ? [] : earlier.splice(at, 1);
    keys.push(messageKey(channel, known?.ts ?? (await share(client, channel, place, file))));
  }
  return keys;
}

/** Gives the ts of the message that shows the file. */
async function share(client: WebClient, channel: string, place: string, file: OutgoingFile): Promise<string> {
  const id = await uploadFile(client, file, {
    channel_id: channel,
    ...(isChatPlace(place) ? {} : { thread_ts: place }),
  });
  let ts: string | undefined;
  await fileOnce(client, id, ({ shares }) => {
    ts = (shares?.public?.[channel] ?? shares?.private?.[channel])?.[0]?.ts;
    return ts !== undefined;
  });
  if (!ts) throw new Error(`Slack took ${file.name} and does not show it`);
  return ts;
}

type Shared = { ts: string; name: string; size: number };

async function findShared(
  client: WebClient,
  workspace: Workspace,
  asked: { channel: string; threadPlace: string; since: string },
): Promise<Shared[]> {
  const found: Shared[] = [];
  for await (const { user, ts, files } of readConversation(client, asked))
    if (user === workspace.botUser && ts && ts > asked.since)
      found.push(...(files ?? []).map(({ name = '', size = 0 }) => ({ ts, name, size })));
  return found;
}
