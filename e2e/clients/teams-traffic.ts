import { setTimeout as sleep } from 'node:timers/promises';

/** An activity that was posted to the bot, and what became of it. */
export type PostedActivity = { id: string; text: string; statuses: number[]; accepted: boolean; done: Promise<void> };

/** People of Teams who talk with the bot: in personal chats, and in threads of channels. */
export type TeamsTraffic = {
  /** The next message, from one place after the other. */
  say(): PostedActivity;
  posted(): readonly PostedActivity[];
  settled(): Promise<void>;
};

const tenantId = '00000000-0000-4000-8000-000000000001';
const bot = { id: '28:00000000-0000-4000-8000-000000000011', name: 'Switchboard' };
const mention = { type: 'mention', mentioned: bot, text: '<at>Switchboard</at>' };

/** Milliseconds before an activity that was not answered 2xx is posted again, with its id. 0: the connection broke. */
const pauses = [500, 1000, 2000, 4000, 8000];

/**
 * Posts activities to a bot in anonymous mode as Teams' connector does (Bot Framework Activity schema 1.0). Every second place is a
 * channel, in which each message is a mention; so many threads each.
 */
export function teamsTraffic(options: { endpoint: string; serviceUrl: string; places: number }): TeamsTraffic {
  const posted: PostedActivity[] = [];
  const begin = Date.now();

  function activityOf(n: number): { id: string; text: string; activity: object } {
    const id = String(begin + n);
    const text = `This is activity number ${n}.`;
    const place = n % options.places;
    const common = {
      type: 'message',
      id,
      timestamp: new Date().toISOString(),
      channelId: 'msteams',
      serviceUrl: options.serviceUrl,
      from: { id: `29:person-${place}`, name: `Person ${place}`, aadObjectId: entraId(place) },
      recipient: bot,
      textFormat: 'plain',
    };
    return { id, text, activity: { ...common, ...(place % 2 === 0 ? personal(place, text) : inChannel(place, text)) } };
  }

  async function post(one: PostedActivity, activity: object): Promise<void> {
    for (let number = 0; number <= pauses.length; number += 1) {
      if (number > 0) await sleep(pauses[number - 1]);
      const status = await fetch(options.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(activity),
        signal: AbortSignal.timeout(15_000),
      }).then(
        async (response) => {
          await response.body?.cancel();
          return response.status;
        },
        () => 0,
      );
      one.statuses.push(status);
      one.accepted = status >= 200 && status < 300;
      if (one.accepted) return;
    }
  }

  return {
    say() {
      const { id, text, activity } = activityOf(posted.length + 1);
      const one: PostedActivity = { id, text, statuses: [], accepted: false, done: Promise.resolve() };
      one.done = post(one, activity);
      posted.push(one);
      return one;
    },
    posted: () => posted,
    settled: async () => {
      await Promise.all(posted.map((one) => one.done));
    },
  };
}

function personal(place: number, text: string): object {
  return {
    conversation: { conversationType: 'personal', id: `a:personal-${place}`, tenantId },
    channelData: { tenant: { id: tenantId } },
    text,
  };
}

function inChannel(place: number, text: string): object {
  const channel = `19:channel-${place}@thread.tacv2`;
  return {
    conversation: { conversationType: 'channel', isGroup: true, id: `${channel};messageid=1690000000000`, tenantId },
    channelData: {
      tenant: { id: tenantId },
      teamsChannelId: channel,
      channel: { id: channel, name: `Channel ${place}`, type: 'standard' },
      team: { id: channel, name: 'Product' },
    },
    text: `${mention.text} ${text}`,
    entities: [mention],
  };
}

function entraId(place: number): string {
  return `00000000-0000-4000-8000-${String(place).padStart(12, '0')}`;
}
