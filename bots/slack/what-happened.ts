import type { SlackEnvelope, SlackMessage } from './slack-event.ts';

/** A message of a person. */
export interface Said extends Pick<SlackMessage, 'ts' | 'files'> {
  kind: 'said';
  channel: string;
  /** `channel`, `group`, `im`, `mpim`; an app_mention does not tell. */
  channelType: string | undefined;
  /** The ts of the thread's first message, if it stands in one. */
  threadTs: string | undefined;
  user: string;
  userTeam: string | undefined;
  text: string;
  /** Slack itself says that it mentions the app. */
  mention: boolean;
}

/** What an event tells us; `ignored` says why it is nothing to us. */
export type Happening =
  | Said
  | { kind: 'edited'; channel: string; ts: string; text: string }
  | { kind: 'deleted'; channel: string; ts: string }
  | { kind: 'ignored'; why: string };

/** Subtypes of what people write themselves; all others are Slack's notices (docs.slack.dev/reference/events/message). */
const written = new Set(['file_share', 'thread_broadcast']);

/** Reads what happened. Messages of bots, our own first of all, are nothing to us, and so are their edits. */
export function whatHappened(event: SlackEnvelope['event'], botUser: string): Happening {
  if (event.type === 'message' && event.subtype === 'message_changed')
    return changed(event.channel, event.message, event.previous_message, botUser);
  if (event.type === 'message' && event.subtype === 'message_deleted') {
    if (!event.deleted_ts) return { kind: 'ignored', why: 'no ts' };
    return { kind: 'deleted', channel: event.channel, ts: event.deleted_ts };
  }
  if (event.subtype !== undefined && !written.has(event.subtype)) return { kind: 'ignored', why: event.subtype };
  if (!isFromPerson(event, botUser)) return { kind: 'ignored', why: 'a bot' };
  return {
    kind: 'said',
    channel: event.channel,
    channelType: event.type === 'message' ? event.channel_type : undefined,
    ts: event.ts,
    threadTs: event.thread_ts,
    user: event.user,
    userTeam: event.user_team ?? undefined,
    text: event.text ?? '',
    files: event.files,
    mention: event.type === 'app_mention',
  };
}

function changed(
  channel: string,
  now: SlackMessage | undefined,
  before: SlackMessage | undefined,
  botUser: string,
): Happening {
  if (!now) return { kind: 'ignored', why: 'no message' };
  // What is left of a thread's first message once it is deleted.
  if (now.subtype === 'tombstone') return { kind: 'deleted', channel, ts: now.ts };
  if (!isFromPerson(now, botUser)) return { kind: 'ignored', why: 'a bot' };
  // A link got its preview, a thread its first reply.
  if (before?.text === now.text) return { kind: 'ignored', why: 'the text is the same' };
  return { kind: 'edited', channel, ts: now.ts, text: now.text ?? '' };
}

function isFromPerson<M extends SlackMessage>(message: M, botUser: string): message is M & { user: string } {
  if (message.bot_id || message.bot_profile || message.subtype === 'bot_message') return false;
  return typeof message.user === 'string' && message.user !== botUser && message.user !== 'USLACKBOT';
}
