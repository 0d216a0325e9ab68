import type { PlaceDescription } from '../../core/streams/bind-place.ts';
import { chatPlace } from '../../core/streams/chat-thread.ts';
import { type Activity, tenantOf } from './activity.ts';

/** Where something was said: what is bound to a Stream, and the thread in it. */
export interface TeamsPlace {
  /** `personal` is one person and the bot; a `group` is a chat of several; a `channel` belongs to a team and has threads. */
  kind: 'personal' | 'group' | 'channel';
  /** The id of the chat, or of the channel: what a Stream is bound to. */
  id: string;
  /** The conversation that an answer goes to: of a channel its thread, of a chat the chat itself. */
  conversation: string;
  /** The place of its Thread at the Binding. */
  threadPlace: string;
  tenant: string | undefined;
}

/**
 * The place of an activity. A channel's conversation id names a thread as well (`19:…@thread.tacv2;messageid=…`); it is opaque, so
 * the channel's own id is read from channelData, and cut off the conversation id only where that lacks it.
 */
export function placeOf(activity: Activity): TeamsPlace {
  const { conversation, channelData } = activity;
  const tenant = tenantOf(activity);
  if (conversation.conversationType === 'channel') {
    const id =
      channelData?.channel?.id || channelData?.teamsChannelId || conversation.id.replace(/;messageid=.*$/s, '');
    return { kind: 'channel', id, conversation: conversation.id, threadPlace: conversation.id, tenant };
  }
  const isGroup = conversation.conversationType === 'groupChat' || conversation.isGroup === true;
  const kind = isGroup ? 'group' : 'personal';
  return { kind, id: conversation.id, conversation: conversation.id, threadPlace: chatPlace, tenant };
}

/**
 * What the activity tells of its place. Undefined while it does not say who the other side of a chat is. A channel counts as
 * private unless Teams calls it a standard one: what is unknown is nobody's to read (design rule 12).
 */
export function describeTeamsPlace(place: TeamsPlace, activity: Activity): PlaceDescription | undefined {
  const { channelData, conversation, from } = activity;
  const line = (text: string | null | undefined) =>
    (text ?? '')
      .replace(/[\p{C}\s]+/gu, ' ')
      .trim()
      .slice(0, 100);
  if (place.kind === 'channel') {
    const names = [line(channelData?.team?.name), line(channelData?.channel?.name)].filter((name) => name !== '');
    const name = names.length > 0 ? names.join(' › ') : 'Teams channel';
    const isPrivate = channelData?.channel?.type !== 'standard';
    return {
      name,
      idFrom: `teams ${names.join(' ') || 'channel'}`,
      description: `A channel of Teams: ${name}.`,
      isPrivate,
    };
  }
  const name = place.kind === 'personal' ? line(from?.name) : line(conversation.name) || 'Group chat';
  if (name === '') return undefined;
  const description = place.kind === 'personal' ? `The chat with ${name} in Teams.` : `A group chat in Teams: ${name}.`;
  return { name: `${name} (Teams)`, idFrom: `teams ${name}`, description, isPrivate: true };
}

/**
 * What a message is known by: conversation and message id, neither of which has a blank in it. The same for one that came and for
 * one that was sent.
 */
export function receiptOf(conversation: string, message: string): string {
  return `${conversation} ${message}`;
}
