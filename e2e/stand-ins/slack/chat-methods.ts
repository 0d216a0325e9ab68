import { SlackApiError } from './api-error.ts';
import { messageContent, metadataOf } from './message-content.ts';
import { type Arguments, refuseUnknown, textOf } from './read-arguments.ts';
import { type SlackChannel, type SlackWorkspace, type StoredMessage, shownMessage } from './workspace.ts';

/** A method of the Web API: gives the fields beside `ok`. */
export type Method = (
  workspace: SlackWorkspace,
  args: Arguments,
  server: { origin: string },
) => Record<string, unknown>;

const newTextAtMost = 40_000;
/** docs.slack.dev/reference/methods/chat.update, msg_too_long. */
const editedTextAtMost = 4000;

const postArguments = [
  'channel',
  'text',
  'blocks',
  'markdown_text',
  'thread_ts',
  'reply_broadcast',
  'metadata',
  'unfurl_links',
  'unfurl_media',
  'mrkdwn',
];

const postMessage: Method = (workspace, args) => {
  refuseUnknown(args, postArguments);
  const channel = writable(workspace, args);
  const content = messageContent(args, newTextAtMost, workspace.files);
  const metadata = metadataOf(args);
  const threadTs = threadOf(workspace, channel, args);
  const message = workspace.store({
    channel: channel.id,
    user: workspace.botUser,
    botId: workspace.botId,
    ...content,
    ...(threadTs ? { threadTs } : {}),
    ...(metadata ? { metadata } : {}),
  });
  return { channel: channel.id, ts: message.ts, message: shownMessage(workspace, message, false) };
};

const update: Method = (workspace, args) => {
  refuseUnknown(args, ['channel', 'ts', 'text', 'blocks', 'markdown_text', 'metadata', 'reply_broadcast']);
  const channel = writable(workspace, args);
  const message = ownMessage(workspace, channel, args, 'cant_update_message');
  const content = messageContent(args, editedTextAtMost, workspace.files);
  const metadata = metadataOf(args);
  message.text = content.text;
  message.texts.push(content.text);
  if (content.blocks) message.blocks = content.blocks;
  else delete message.blocks;
  if (metadata) message.metadata = metadata;
  message.edited = { user: workspace.botUser, ts: workspace.nextTs() };
  return { channel: channel.id, ts: message.ts, text: message.text, message: shownMessage(workspace, message, false) };
};

const remove: Method = (workspace, args) => {
  refuseUnknown(args, ['channel', 'ts']);
  const channel = writable(workspace, args);
  const message = ownMessage(workspace, channel, args, 'cant_delete_message');
  message.deleted = true;
  return { channel: channel.id, ts: message.ts };
};

const postEphemeral: Method = (workspace, args) => {
  refuseUnknown(args, [...postArguments, 'user']);
  const channel = writable(workspace, args);
  const user = textOf(args, 'user') ?? '';
  if (!workspace.users.has(user)) throw new SlackApiError('user_not_found');
  if (!channel.members.has(user)) throw new SlackApiError('user_not_in_channel');
  const content = messageContent(args, newTextAtMost, workspace.files);
  const threadTs = threadOf(workspace, channel, args);
  workspace.ephemerals.push({ channel: channel.id, user, ...content, ...(threadTs ? { threadTs } : {}) });
  return { message_ts: workspace.nextTs() };
};

/** @param argument which one names the conversation */
export function writable(workspace: SlackWorkspace, args: Arguments, argument = 'channel'): SlackChannel {
  const channel = workspace.channels.get(textOf(args, argument) ?? '');
  if (!channel) throw new SlackApiError('channel_not_found');
  if (channel.archived) throw new SlackApiError('is_archived');
  if (!channel.members.has(workspace.botUser)) throw new SlackApiError('not_in_channel');
  return channel;
}

/** Stricter than Slack, which takes any ts: a reply goes to the first message of a thread that is there. */
export function threadOf(workspace: SlackWorkspace, channel: SlackChannel, args: Arguments): string | undefined {
  const threadTs = textOf(args, 'thread_ts');
  if (threadTs === undefined) return undefined;
  if (!/^\d{10,}\.\d{6}$/.test(threadTs)) throw new SlackApiError('invalid_arguments');
  const first = workspace.find(channel.id, threadTs);
  if (!first || first.deleted) throw new SlackApiError('thread_not_found');
  if (first.threadTs && first.threadTs !== first.ts) throw new SlackApiError('cannot_reply_to_message');
  return threadTs;
}

function ownMessage(workspace: SlackWorkspace, channel: SlackChannel, args: Arguments, refusal: string): StoredMessage {
  const message = workspace.find(channel.id, textOf(args, 'ts') ?? '');
  if (!message || message.deleted) throw new SlackApiError('message_not_found');
  if (message.botId !== workspace.botId) throw new SlackApiError(refusal);
  return message;
}

/** chat.*, as far as an app of ours may use them. */
export const chatMethods: Record<string, Method> = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.delete': remove,
  'chat.postEphemeral': postEphemeral,
};
