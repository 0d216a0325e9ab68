import type { WebClient } from '@slack/web-api';
import type { Core } from '../../core/core.ts';
import type { BindingId, OrganisationId } from '../../core/store/ids.ts';
import { describePlace, type PlaceDescription } from '../../core/streams/bind-place.ts';
import { retryAfterOf } from './call-failure.ts';
import { type People, within } from './people.ts';

/** A conversation of Slack, as far as a message tells. */
export interface ConversationHint {
  channel: string;
  isDirect: boolean;
  /** Who wrote in it. */
  user: string;
}

/** What Slack tells of conversations: their names, and who may see them. */
export interface Conversations {
  /** Undefined when Slack does not tell within a second: a message does not wait any longer for its Stream's name. */
  describe(hint: ConversationHint): Promise<PlaceDescription | undefined>;
  /** Describes one later that could not be described when it was bound. Returns at once. */
  describeLater(hint: ConversationHint, organisation: OrganisationId, binding: BindingId): void;
}

const patienceMs = 1000;
/** After a failure Slack is not asked about any conversation for so long. */
const restMs = 30_000;

export function createConversations(
  core: Pick<Core, 'database' | 'log'>,
  client: WebClient,
  people: People,
): Conversations {
  const asked = new Map<string, Promise<PlaceDescription | undefined>>();
  let restUntil = 0;

  async function fetchDescription(hint: ConversationHint): Promise<PlaceDescription | undefined> {
    if (hint.isDirect) return directMessages((await people.ask(hint.user, patienceMs)) ?? hint.user);
    if (Date.now() < restUntil) return undefined;
    try {
      const { channel } = await client.conversations.info({ channel: hint.channel });
      if (!channel) return undefined;
      const name = channel.name ?? hint.channel;
      if (channel.is_mpim) return groupMessages(name);
      const isPrivate = (channel.is_private ?? false) || (channel.is_group ?? false);
      return {
        name: `#${name}`,
        idFrom: `slack ${name}`,
        description: `The ${isPrivate ? 'private ' : ''}Slack channel #${name}.`,
        isPrivate,
      };
    } catch (error) {
      restUntil = Date.now() + Math.max(restMs, (retryAfterOf(error) ?? 0) * 1000);
      core.log.debug({ err: error }, 'Slack did not tell the name of a channel');
      return undefined;
    }
  }

  function ask(hint: ConversationHint): Promise<PlaceDescription | undefined> {
    let answer = asked.get(hint.channel);
    if (!answer) {
      answer = fetchDescription(hint).finally(() => asked.delete(hint.channel));
      asked.set(hint.channel, answer);
    }
    return answer;
  }

  return {
    describe: (hint) => within(ask(hint), patienceMs),
    describeLater(hint, organisation, binding) {
      if (asked.has(hint.channel)) return;
      ask(hint)
        .then(async (about) => {
          if (about) await describePlace(core.database, organisation, binding, about);
        })
        .catch((error: unknown) => core.log.debug({ err: error, binding }, 'a channel could not be described'));
    },
  };
}

function directMessages(name: string): PlaceDescription {
  return {
    name: `DM with ${name}`,
    idFrom: `slack dm ${name}`,
    description: `Slack direct messages with ${name}.`,
    isPrivate: true,
  };
}

/** `mpdm-ada--ben--switchboard-1` is how Slack names a group DM. */
function groupMessages(name: string): PlaceDescription {
  const members = name
    .replace(/^mpdm-/, '')
    .replace(/-\d+$/, '')
    .split('--');
  return {
    name: `Group DM: ${members.join(', ')}`,
    idFrom: `slack group dm ${members.join(' ')}`,
    description: 'A Slack group DM.',
    isPrivate: true,
  };
}
