import { randomBytes } from 'node:crypto';
import { type SlackWorkspace, type StoredMessage, shownMessage } from './workspace.ts';

/** The envelope of the Events API (docs.slack.dev/apis/events-api). */
export type EventEnvelope = {
  token: string;
  team_id: string;
  context_team_id: string;
  api_app_id: string;
  event: Record<string, unknown> & { type: string };
  type: 'event_callback';
  event_id: string;
  event_time: number;
  authorizations: object[];
  is_ext_shared_channel: boolean;
  event_context: string;
};

/** Puts an event into an envelope with an id of its own. `changes` replaces fields, for what is not as it should be. */
export function envelopeOf(
  workspace: SlackWorkspace,
  event: EventEnvelope['event'],
  changes: Partial<EventEnvelope> = {},
): EventEnvelope {
  return {
    token: 'legacy-verification-token',
    team_id: workspace.team,
    context_team_id: workspace.team,
    api_app_id: workspace.appId,
    event,
    type: 'event_callback',
    event_id: `Ev${randomBytes(6).toString('hex').toUpperCase()}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: workspace.team,
        user_id: workspace.botUser,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
    event_context: '4-stand-in',
    ...changes,
  };
}

/**
 * The events of a message that a person (or an app) wrote. Both `app_mention` and `message` for a mention outside of DMs, `message`
 * alone for everything else. An app_mention has no channel_type.
 */
export function eventsOf(
  workspace: SlackWorkspace,
  message: StoredMessage,
  extra: Record<string, unknown> = {},
): EventEnvelope[] {
  const kind = workspace.channels.get(message.channel)?.kind ?? 'channel';
  const shown = { ...shownMessage(workspace, message), ...extra, channel: message.channel, event_ts: message.ts };
  const subtype = 'files' in extra ? { subtype: 'file_share' } : {};
  const said = envelopeOf(workspace, { ...shown, ...subtype, type: 'message', channel_type: kind });
  const isMention = kind !== 'im' && message.text.includes(`<@${workspace.botUser}>`) && !message.botId;
  return isMention ? [envelopeOf(workspace, { ...shown, type: 'app_mention' }), said] : [said];
}

/** `message_changed`. `before` is what the message said. */
export function editEvent(workspace: SlackWorkspace, message: StoredMessage, before: string): EventEnvelope {
  const ts = workspace.nextTs();
  return envelopeOf(workspace, {
    type: 'message',
    subtype: 'message_changed',
    hidden: true,
    channel: message.channel,
    channel_type: workspace.channels.get(message.channel)?.kind ?? 'channel',
    ts,
    event_ts: ts,
    message: shownMessage(workspace, message),
    previous_message: { ...shownMessage(workspace, message), text: before },
  });
}

/** `message_deleted`. */
export function deleteEvent(workspace: SlackWorkspace, message: StoredMessage): EventEnvelope {
  const ts = workspace.nextTs();
  return envelopeOf(workspace, {
    type: 'message',
    subtype: 'message_deleted',
    hidden: true,
    channel: message.channel,
    channel_type: workspace.channels.get(message.channel)?.kind ?? 'channel',
    ts,
    event_ts: ts,
    deleted_ts: message.ts,
    previous_message: shownMessage(workspace, message),
  });
}
