import { createFiles, type SlackFiles, shownFile } from './files.ts';

/** Somebody in the workspace. The app's own user is one of them. */
export type SlackUser = { id: string; name: string; realName: string; isBot: boolean };

/** What Slack calls a conversation. `group` is a private channel. */
export type ChannelKind = 'channel' | 'group' | 'im' | 'mpim';

export type SlackChannel = {
  id: string;
  name: string;
  kind: ChannelKind;
  /** The app may read and write only where it is a member. */
  members: Set<string>;
  archived: boolean;
};

/** A message as Slack keeps it. */
export type StoredMessage = {
  channel: string;
  ts: string;
  /** The first message of its thread; undefined: it stands in the channel itself. */
  threadTs?: string;
  user: string;
  /** Set for what the app wrote. */
  botId?: string;
  text: string;
  blocks?: unknown[];
  /** The ids of the files that it shares. */
  files?: string[];
  metadata?: { event_type: string; event_payload: Record<string, unknown> };
  /** Every text it has had, the present one last. */
  texts: string[];
  edited?: { user: string; ts: string };
  deleted?: boolean;
};

/** What the app showed to one person alone. Slack keeps it nowhere. */
export type Ephemeral = { channel: string; user: string; threadTs?: string; text: string; blocks?: unknown[] };

/** A workspace with one app in it. */
export type SlackWorkspace = {
  team: string;
  teamName: string;
  appId: string;
  botUser: string;
  botId: string;
  users: Map<string, SlackUser>;
  channels: Map<string, SlackChannel>;
  files: SlackFiles;
  /** In the order in which they were shown. */
  ephemerals: Ephemeral[];
  /** A person who is there already is returned as it is. */
  addUser(id: string, realName?: string): SlackUser;
  /** A conversation with the app and whoever is named in it. */
  addChannel(id: string, options?: { kind?: ChannelKind; name?: string; members?: string[] }): SlackChannel;
  /** A new ts: seconds and six digits, growing, never twice in a workspace. */
  nextTs(): string;
  /** @param ts that of a message which another process has made up; default the next one */
  store(message: Omit<StoredMessage, 'ts' | 'texts'>, ts?: string): StoredMessage;
  find(channel: string, ts: string): StoredMessage | undefined;
  /** Of one conversation, in the order in which they were written; deleted ones too. */
  messagesIn(channel: string): readonly StoredMessage[];
  /** Everything that the app wrote, in that order. */
  byApp(): readonly StoredMessage[];
};

/** An empty workspace. */
export function createWorkspace(options: { team?: string } = {}): SlackWorkspace {
  const team = options.team ?? 'T0ACME';
  const botUser = 'U0BOT';
  const users = new Map<string, SlackUser>();
  const channels = new Map<string, SlackChannel>();
  const messages = new Map<string, StoredMessage[]>();
  const byKey = new Map<string, StoredMessage>();
  const byApp: StoredMessage[] = [];
  let lastMicros = 0;

  const workspace: SlackWorkspace = {
    team,
    teamName: 'Acme',
    appId: 'A0SWITCH',
    botUser,
    botId: 'B0BOT',
    users,
    channels,
    files: createFiles(),
    ephemerals: [],
    addUser(id, realName = id) {
      const known = users.get(id);
      if (known) return known;
      const user = { id, name: realName.toLowerCase().replace(/\W+/g, '.'), realName, isBot: id === botUser };
      users.set(id, user);
      return user;
    },
    addChannel(id, { kind = 'channel', name = id.toLowerCase(), members = [] } = {}) {
      const known = channels.get(id);
      for (const member of members) workspace.addUser(member);
      if (known) {
        for (const member of members) known.members.add(member);
        return known;
      }
      const channel = { id, name, kind, members: new Set([botUser, ...members]), archived: false };
      channels.set(id, channel);
      return channel;
    },
    nextTs() {
      lastMicros = Math.max(lastMicros + 1, Date.now() * 1000);
      return `${Math.floor(lastMicros / 1e6)}.${String(lastMicros % 1e6).padStart(6, '0')}`;
    },
    store(message, ts = workspace.nextTs()) {
      const stored: StoredMessage = { ...message, ts, texts: [message.text] };
      const list = messages.get(message.channel) ?? [];
      list.push(stored);
      messages.set(message.channel, list);
      byKey.set(`${message.channel}:${stored.ts}`, stored);
      if (stored.botId) byApp.push(stored);
      return stored;
    },
    find: (channel, ts) => byKey.get(`${channel}:${ts}`),
    messagesIn: (channel) => messages.get(channel) ?? [],
    byApp: () => byApp,
  };
  workspace.addUser(botUser, 'Switchboard');
  return workspace;
}

/** A message as Slack shows it in answers and events. */
export function shownMessage(workspace: SlackWorkspace, message: StoredMessage, withMetadata = true): object {
  return {
    type: 'message',
    user: message.user,
    text: message.text,
    ts: message.ts,
    team: workspace.team,
    ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    ...(message.blocks ? { blocks: message.blocks } : {}),
    ...(message.files
      ? {
          subtype: 'file_share',
          files: message.files.flatMap((id) => {
            const file = workspace.files.find(id);
            return file ? [shownFile(workspace.files, file)] : [];
          }),
        }
      : {}),
    ...(message.botId
      ? {
          bot_id: message.botId,
          app_id: workspace.appId,
          bot_profile: { id: message.botId, app_id: workspace.appId, name: 'Switchboard', team_id: workspace.team },
        }
      : {}),
    ...(message.edited ? { edited: message.edited } : {}),
    ...(withMetadata && message.metadata ? { metadata: message.metadata } : {}),
  };
}
