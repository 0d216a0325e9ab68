import { SlackApiError } from './api-error.ts';
import type { Method } from './chat-methods.ts';
import { type Arguments, flagOf, numberOf, refuseUnknown, textOf } from './read-arguments.ts';
import { type SlackChannel, type SlackWorkspace, type StoredMessage, shownMessage } from './workspace.ts';

const mostAtOnce = 1000;
const pageSize = 100;

const authTest: Method = (workspace, args) => {
  refuseUnknown(args, []);
  return {
    url: 'https://acme.slack.com/',
    team: workspace.teamName,
    user: 'switchboard',
    team_id: workspace.team,
    user_id: workspace.botUser,
    bot_id: workspace.botId,
    is_enterprise_install: false,
  };
};

const conversationsInfo: Method = (workspace, args) => {
  refuseUnknown(args, ['channel', 'include_locale', 'include_num_members']);
  const channel = readable(workspace, args);
  const person = [...channel.members].find((member) => member !== workspace.botUser);
  const is = (kind: SlackChannel['kind']) => channel.kind === kind;
  return {
    channel: {
      id: channel.id,
      ...(is('im') ? { user: person } : { name: channel.name, name_normalized: channel.name }),
      is_channel: is('channel'),
      is_group: is('group'),
      is_im: is('im'),
      is_mpim: is('mpim'),
      is_private: !is('channel'),
      is_archived: channel.archived,
      is_member: channel.members.has(workspace.botUser),
    },
  };
};

const conversationsOpen: Method = (workspace, args) => {
  refuseUnknown(args, ['users', 'channel', 'return_im', 'prevent_creation']);
  const users = (textOf(args, 'users') ?? '').split(',').filter(Boolean);
  if (users.length === 0) throw new SlackApiError('users_list_not_supplied');
  for (const user of users) if (!workspace.users.has(user)) throw new SlackApiError('user_not_found');
  const kind = users.length === 1 ? 'im' : 'mpim';
  const found = [...workspace.channels.values()].find(
    (channel) =>
      channel.kind === kind &&
      channel.members.size === users.length + 1 &&
      users.every((user) => channel.members.has(user)),
  );
  const id = `${kind === 'im' ? 'D' : 'G'}${users.join('').slice(-8)}`;
  return { channel: { id: (found ?? workspace.addChannel(id, { kind, members: users })).id } };
};

const history: Method = (workspace, args) => {
  refuseUnknown(args, ['channel', 'cursor', 'limit', 'oldest', 'latest', 'inclusive', 'include_all_metadata']);
  const channel = readable(workspace, args);
  // The newest first, and no replies but those that were sent to the channel too.
  const inChannel = workspace
    .messagesIn(channel.id)
    .filter((message) => !message.threadTs || message.threadTs === message.ts);
  return page(workspace, inChannel.toReversed(), args);
};

const replies: Method = (workspace, args) => {
  refuseUnknown(args, ['channel', 'ts', 'cursor', 'limit', 'oldest', 'latest', 'inclusive', 'include_all_metadata']);
  const channel = readable(workspace, args);
  const ts = textOf(args, 'ts') ?? '';
  if (!workspace.find(channel.id, ts)) throw new SlackApiError('thread_not_found');
  // The oldest first, the first message of the thread whatever `oldest` says.
  const thread = workspace.messagesIn(channel.id).filter((message) => message.ts === ts || message.threadTs === ts);
  return page(workspace, thread, args, ts);
};

function page(
  workspace: SlackWorkspace,
  messages: readonly StoredMessage[],
  args: Arguments,
  always?: string,
): Record<string, unknown> {
  const oldest = numberOf(args, 'oldest') ?? 0;
  const latest = numberOf(args, 'latest') ?? Number.POSITIVE_INFINITY;
  const limit = numberOf(args, 'limit') ?? pageSize;
  if (limit < 1 || limit > mostAtOnce) throw new SlackApiError('invalid_limit');
  const cursor = textOf(args, 'cursor') ?? '';
  const from = cursor === '' ? 0 : Number(/^from:(\d+)$/.exec(cursor)?.[1] ?? Number.NaN);
  if (Number.isNaN(from)) throw new SlackApiError('invalid_cursor');
  const wanted = messages.filter(
    (message) => !message.deleted && (message.ts === always || (+message.ts > oldest && +message.ts < latest)),
  );
  const more = wanted.length > from + limit;
  return {
    messages: wanted
      .slice(from, from + limit)
      .map((message) => shownMessage(workspace, message, flagOf(args, 'include_all_metadata'))),
    has_more: more,
    ...(more ? { response_metadata: { next_cursor: `from:${from + limit}` } } : {}),
  };
}

const usersInfo: Method = (workspace, args) => {
  refuseUnknown(args, ['user', 'include_locale']);
  const user = workspace.users.get(textOf(args, 'user') ?? '');
  if (!user) throw new SlackApiError('user_not_found');
  return {
    user: {
      id: user.id,
      team_id: workspace.team,
      name: user.name,
      real_name: user.realName,
      is_bot: user.isBot,
      deleted: false,
      profile: { real_name: user.realName, display_name: '' },
    },
  };
};

const reactions: Method = (workspace, args) => {
  refuseUnknown(args, ['channel', 'timestamp', 'name']);
  const channel = readable(workspace, args);
  const message = workspace.find(channel.id, textOf(args, 'timestamp') ?? '');
  if (!message || message.deleted) throw new SlackApiError('message_not_found');
  if (!/^[\w+-]+(::skin-tone-[2-6])?$/.test(textOf(args, 'name') ?? '')) throw new SlackApiError('invalid_name');
  return {};
};

function readable(workspace: SlackWorkspace, args: Arguments): SlackChannel {
  const channel = workspace.channels.get(textOf(args, 'channel') ?? '');
  if (!channel) throw new SlackApiError('channel_not_found');
  // Public channels can be looked at by everybody; we are stricter.
  if (!channel.members.has(workspace.botUser)) throw new SlackApiError('not_in_channel');
  return channel;
}

/** What an app reads, and reactions. */
export const readingMethods: Record<string, Method> = {
  'auth.test': authTest,
  'conversations.info': conversationsInfo,
  'conversations.open': conversationsOpen,
  'conversations.history': history,
  'conversations.replies': replies,
  'users.info': usersInfo,
  'reactions.add': reactions,
  'reactions.remove': reactions,
};
