import type { TeamsHouse } from './teams-house.ts';
import { tenant } from './teams-house.ts';
import { appId } from './token-issuer.ts';

/** The bot, as Teams writes it. */
export const bot = { id: `28:${appId}`, name: 'Switchboard' };
export const botMention = { type: 'mention', mentioned: bot, text: '<at>Switchboard</at>' };

/** Somebody of the tenant. */
export const alex = { id: '29:1alex', name: 'Alex Wilber', aadObjectId: 'A1A1A1A1-0000-4000-8000-000000000001' };
export const megan = { id: '29:1megan', name: 'Megan Bowen', aadObjectId: 'a1a1a1a1-0000-4000-8000-000000000002' };

let lastId = 1_690_000_000_000;

/** An activity of a personal chat, as Teams sends it, but for what `changes` says. */
export function personal(house: Pick<TeamsHouse, 'connector'>, text: string, changes: object = {}) {
  const id = String(lastId++);
  return {
    type: 'message',
    id,
    timestamp: new Date().toISOString(),
    channelId: 'msteams',
    serviceUrl: house.connector.serviceUrl,
    from: alex,
    recipient: bot,
    conversation: { conversationType: 'personal', id: 'a:1personal', tenantId: tenant },
    text,
    textFormat: 'plain',
    entities: [{ type: 'clientInfo', locale: 'en-US', platform: 'Web' }] as object[],
    channelData: { tenant: { id: tenant } },
    ...changes,
  };
}

/** In a group chat; with a mention where the text begins with `@`. */
export function inGroup(house: Pick<TeamsHouse, 'connector'>, text: string, changes: object = {}) {
  const conversation = { conversationType: 'groupChat', isGroup: true, id: '19:group@thread.v2', tenantId: tenant };
  return { ...personal(house, mentioned(text)), entities: entitiesOf(text), conversation, ...changes };
}

/** In a channel, in the thread of the message `root`; with a mention where the text begins with `@`. */
export function inChannel(house: Pick<TeamsHouse, 'connector'>, text: string, root: string, changes: object = {}) {
  const channel = '19:general@thread.tacv2';
  return {
    ...personal(house, mentioned(text)),
    entities: entitiesOf(text),
    conversation: { conversationType: 'channel', isGroup: true, id: `${channel};messageid=${root}`, tenantId: tenant },
    channelData: {
      teamsChannelId: channel,
      teamsTeamId: channel,
      channel: { id: channel },
      team: { id: channel },
      tenant: { id: tenant },
    },
    ...changes,
  };
}

function mentioned(text: string): string {
  return text.replace(/^@/, `${botMention.text} `);
}

function entitiesOf(text: string): object[] {
  return text.startsWith('@') ? [botMention] : [];
}
