import type { Core } from '../../core/core.ts';
import { InvalidInputError } from '../../core/errors.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import { findOrBindPlace } from '../../core/streams/bind-place.ts';
import { chatIdleSeconds, chatPlace, endChat } from '../../core/streams/chat-thread.ts';
import { type AskedPlace, type BoundPlace, findPlace } from '../../core/streams/find-place.ts';
import type { Attachment } from '../../core/streams/message.ts';
import { receive } from '../../core/streams/receive.ts';
import { reportDelete, reportEdit } from '../../core/streams/report-change.ts';
import type { ConversationHint, Conversations } from './conversations.ts';
import type { Workspace } from './identify-workspace.ts';
import { messageKey } from './message-key.ts';
import type { People } from './people.ts';
import { type SlackEnvelope, slackEnvelope } from './slack-event.ts';
import { mentions, textFromSlack } from './text-from-slack.ts';
import { type Said, whatHappened } from './what-happened.ts';

/** What an event is received with. */
export interface Reception {
  core: Core;
  organisation: OrganisationId;
  workspace: Workspace;
  people: People;
  conversations: Conversations;
}

/**
 * Receives one event of the Events API whose signature has been checked. When it returns, what is to be kept is committed; if it
 * throws, Slack must not be told that it was received.
 *
 * @throws InvalidInputError when it is no event that Slack would send, UnavailableError when the database is away.
 */
export async function receiveEvent(reception: Reception, body: unknown): Promise<void> {
  const { core, workspace } = reception;
  const parsed = slackEnvelope.safeParse(body);
  if (!parsed.success) throw new InvalidInputError('this is no event of Slack that can be read');
  const envelope = parsed.data;
  if (!isOurs(envelope, workspace.team)) {
    core.metrics.installationRefused('slack');
    core.log.debug({ team: envelope.team_id }, 'an event of another workspace was dropped');
    return;
  }
  const happening = whatHappened(envelope.event, workspace.botUser);
  switch (happening.kind) {
    case 'said':
      await receiveSaid(reception, happening, envelope.event_id);
      return;
    case 'edited':
    case 'deleted':
      await reportChange(reception, happening);
      return;
    case 'ignored':
      core.log.debug({ why: happening.why }, 'an event of Slack was ignored');
  }
}

/**
 * The workspace of the bot token, and nobody else. In a channel that is shared with another company what that company's people
 * write comes under their workspace, and our own stands among the authorizations.
 */
function isOurs(envelope: SlackEnvelope, team: string): boolean {
  if (envelope.team_id === team) return true;
  if (!envelope.is_ext_shared_channel) return false;
  return (envelope.authorizations ?? []).some((authorization) => authorization.team_id === team);
}

/**
 * A message of a person: taken when it is meant for an agent, or somebody listens to everything there.
 *
 * @param name Slack's name for what tells of it: the same again is known for the same message
 */
export async function receiveSaid(reception: Reception, said: Said, name: string): Promise<void> {
  const { core, organisation, workspace, people } = reception;
  const isDirect = said.channelType === 'im' || said.channel.startsWith('D');
  // A DM is one conversation, unless somebody opens a thread in it; elsewhere every message may begin a thread.
  const threadPlace = said.threadTs ?? (isDirect ? chatPlace : said.ts);
  const meant = said.mention || isDirect || mentions(said.text, workspace.botUser);
  const externalId = `${said.userTeam ?? workspace.team}:${said.user}`;
  const body = textFromSlack(said.text, { botUser: workspace.botUser, nameOf: people.nameOf });
  const receipts = [messageKey(said.channel, said.ts), name];
  const place = await placeOf(reception, { channel: said.channel, isDirect, user: said.user }, meant, {
    threadPlace,
    message: { sender: { platform: 'slack', externalId }, body, receipts },
  });
  if (!place) return;
  const thread = await presentThread(core, organisation, place, threadPlace);
  const addressed = meant || (thread?.hasAgent ?? false);
  if (!addressed && place.listeners === 'nobody') return;

  // A chat that is over goes on in another Thread than the one that was found.
  const found = thread === place.thread ? place.message : null;
  const received = await receive(core, {
    organisation,
    binding: { id: place.binding, stream: place.stream },
    sender: { platform: 'slack', externalId, name: people.nameOf(said.user) ?? '', verified: true },
    message: {
      from: said.user,
      to: said.mention ? [workspace.botUser] : [],
      body,
      attachments: attachmentsOf(said),
      messageId: messageKey(said.channel, said.ts),
      inReplyTo: said.threadTs && said.threadTs !== said.ts ? messageKey(said.channel, said.threadTs) : null,
    },
    receipts,
    threadPlace,
    ...(found ? { found } : {}),
    ...(thread ? { thread: thread.id } : {}),
    // The default Worker takes part from the first message on, so that a follow-up is known to be meant for it.
    ...(addressed && !thread?.hasAgent && place.defaultWorker ? { addressed: [place.defaultWorker] } : {}),
    ...(addressed || place.listeners === 'agents' ? {} : { silent: true }),
  });
  const { event, duplicate } = received.appended;
  core.log.info(
    { event, thread: received.appended.thread, slack: name },
    duplicate ? 'an event of Slack came again' : 'a message of Slack was stored',
  );
  people.learn(said.user, { organisation, externalId });
  for (const [, user] of said.text.matchAll(/<@([A-Z0-9]+)>/g))
    if (user && user !== workspace.botUser) people.learn(user);
}

/** The place of a conversation; one that is meant for us and bound to nothing is bound now. */
async function placeOf(
  reception: Reception,
  hint: ConversationHint,
  meant: boolean,
  about: Pick<AskedPlace, 'threadPlace' | 'message'>,
): Promise<BoundPlace | null> {
  const { core, organisation, conversations } = reception;
  const place = { organisation, kind: 'slack', externalId: hint.channel };
  const found = await findPlace(core.database, { ...place, ...about });
  if (found) {
    if (!found.described) conversations.describeLater(hint, organisation, found.binding);
    return found;
  }
  if (!meant) return null;
  await findOrBindPlace(core.database, place, () => conversations.describe(hint));
  // Again, with the Thread: the other event of this mention may have made it meanwhile.
  return await findPlace(core.database, { ...place, ...about });
}

/** The Thread at a place. A chat's is over after eight idle hours (design §1). */
async function presentThread(
  core: Core,
  organisation: OrganisationId,
  place: BoundPlace,
  threadPlace: string,
): Promise<BoundPlace['thread']> {
  const { thread } = place;
  if (threadPlace !== chatPlace || !thread || thread.idleSeconds < chatIdleSeconds) return thread;
  await endChat(core.database, organisation, thread.id);
  return null;
}

async function reportChange(
  reception: Reception,
  change:
    | { kind: 'edited'; channel: string; ts: string; text: string }
    | { kind: 'deleted'; channel: string; ts: string },
): Promise<void> {
  const { core, organisation, workspace, people } = reception;
  const place = await findPlace(core.database, { organisation, kind: 'slack', externalId: change.channel });
  if (!place) return;
  const message = { organisation, binding: place.binding, externalId: messageKey(change.channel, change.ts) };
  if (change.kind === 'deleted') await reportDelete(core, message);
  else
    await reportEdit(core, message, textFromSlack(change.text, { botUser: workspace.botUser, nameOf: people.nameOf }));
}

function attachmentsOf(said: Said): Attachment[] {
  return (said.files ?? []).flatMap((file) => {
    const url = file.url_private ?? file.permalink;
    if (!url) return [];
    return [
      {
        name: file.name ?? file.title ?? 'file',
        type: file.mimetype || 'application/octet-stream',
        size: file.size ?? 0,
        url,
      },
    ];
  });
}
