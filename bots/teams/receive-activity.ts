import type { Core } from '../../core/core.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import { append } from '../../core/streams/append.ts';
import { describePlace, findOrBindPlace } from '../../core/streams/bind-place.ts';
import { chatIdleSeconds, chatPlace, endChat } from '../../core/streams/chat-thread.ts';
import { type BoundPlace, findPlace } from '../../core/streams/find-place.ts';
import type { Attachment } from '../../core/streams/message.ts';
import { type Received, receive, type Sender } from '../../core/streams/receive.ts';
import { reportDelete, reportEdit } from '../../core/streams/report-change.ts';
import type { Activity } from './activity.ts';
import { configOf, rememberConfig } from './binding-config.ts';
import { describeTeamsPlace, placeOf, receiptOf, type TeamsPlace } from './conversation.ts';
import { readClick } from './read-click.ts';
import { readText } from './read-text.ts';
import { welcomeText } from './welcome-text.ts';

/** The platform of an Identity: those of the anonymous mode are nobody's outside it. */
export type TeamsPlatform = 'teams' | 'teams-anonymous';

/** An activity whose token, tenant and serviceUrl are in order. */
export interface VerifiedActivity {
  organisation: OrganisationId;
  platform: TeamsPlatform;
  activity: Activity;
}

/** What became of it; when it is known, all of it is committed. */
export type Outcome =
  | { kind: 'stored'; place: TeamsPlace; received: Received }
  | { kind: 'changed' | 'welcomed' }
  | { kind: 'ignored'; why: string };

const kindOfBinding = 'teams';

/**
 * Takes one activity: messages, their edits and deletions, and the bot's arrival somewhere.
 *
 * @throws what core/streams/receive.ts throws: nothing was accepted, and Teams must be told so that it sends it again
 */
export async function receiveActivity(core: Core, verified: VerifiedActivity): Promise<Outcome> {
  switch (verified.activity.type) {
    case 'message':
      return await receiveMessage(core, verified);
    case 'messageUpdate':
    case 'messageDelete':
      return await receiveChange(core, verified);
    case 'conversationUpdate':
      return await receiveArrival(core, verified);
    default:
      return { kind: 'ignored', why: `type ${verified.activity.type}` };
  }
}

async function receiveMessage(core: Core, verified: VerifiedActivity): Promise<Outcome> {
  const { activity, organisation } = verified;
  const sender = senderOf(verified);
  if (!sender) return { kind: 'ignored', why: 'nobody, or a bot, wrote it' };
  const place = placeOf(activity);
  const written = readClick(activity) ?? readText(activity);
  const attachments = attachmentsOf(activity);
  if (written.text === '' && attachments.length === 0 && !written.mentioned)
    return { kind: 'ignored', why: 'it says nothing' };

  const meant = place.kind === 'personal' || written.mentioned;
  const bound = await (meant ? bind(core, verified, place) : findPlace(core.database, asked(organisation, place)));
  if (!bound) return { kind: 'ignored', why: 'nothing is bound here and nobody is mentioned' };
  await rememberConfig(core, organisation, bound.binding, configOf(place, activity, written.mentioned));
  const taken = meant ? 'meant' : howOverheard(place, bound);
  if (taken === 'ignored') return { kind: 'ignored', why: 'it is meant for nobody here' };

  if (place.threadPlace === chatPlace && bound.thread && bound.thread.idleSeconds > chatIdleSeconds)
    await endChat(core.database, organisation, bound.thread.id);
  const received = await receive(core, {
    organisation,
    binding: { id: bound.binding, stream: bound.stream },
    sender,
    message: {
      from: activity.from?.aadObjectId || activity.from?.id || '',
      body: written.text,
      attachments,
      messageId: activity.id ?? null,
      inReplyTo: written.inReplyTo ?? null,
    },
    receipts: activity.id ? [receiptOf(place.conversation, activity.id)] : [],
    threadPlace: place.threadPlace,
    ...(taken === 'silent' ? { silent: true } : {}),
  });
  return { kind: 'stored', place, received };
}

/** People are known by tenant and Entra object id; a person without one (an anonymous participant of a meeting) by Teams' own id. */
function senderOf({ activity, platform }: VerifiedActivity): Sender | undefined {
  const { from, recipient } = activity;
  if (!from || from.id === recipient.id || from.role === 'bot' || from.id.startsWith('28:')) return undefined;
  const { tenant } = placeOf(activity);
  const person = from.aadObjectId?.toLowerCase() || from.id;
  if (person === '') return undefined;
  return { platform, externalId: `${tenant ?? ''}:${person}`, name: from.name ?? '', verified: true };
}

/** A message that mentions nobody of us: to whom it goes, where Teams passes it on (RSC). */
function howOverheard(place: TeamsPlace, bound: BoundPlace): 'meant' | 'silent' | 'ignored' {
  // A group chat is one long thread of many people: there a mention is needed every time.
  if (place.kind === 'channel' && bound.thread?.hasAgent) return 'meant';
  if (bound.listeners === 'agents') return 'meant';
  return bound.listeners === 'people' ? 'silent' : 'ignored';
}

function asked(organisation: OrganisationId, place: TeamsPlace) {
  return { organisation, kind: kindOfBinding, externalId: place.id, threadPlace: place.threadPlace };
}

async function bind(core: Core, { activity, organisation }: VerifiedActivity, place: TeamsPlace): Promise<BoundPlace> {
  const description = describeTeamsPlace(place, activity);
  const bound = await findOrBindPlace(core.database, asked(organisation, place), async () => description);
  if (!bound.described && description) await describePlace(core.database, organisation, bound.binding, description);
  return bound;
}

async function receiveChange(core: Core, { activity, organisation }: VerifiedActivity): Promise<Outcome> {
  const place = placeOf(activity);
  const bound = activity.id ? await findPlace(core.database, asked(organisation, place)) : null;
  if (!bound || !activity.id) return { kind: 'ignored', why: 'a change of a message that is not known' };
  const message = { organisation, binding: bound.binding, externalId: receiptOf(place.conversation, activity.id) };
  const known =
    activity.type === 'messageDelete'
      ? await reportDelete(core, message)
      : await reportEdit(core, message, readText(activity).text);
  return known ? { kind: 'changed' } : { kind: 'ignored', why: 'a change of a message that is not known' };
}

/** Where the bot itself was added it says hello, once. */
async function receiveArrival(core: Core, verified: VerifiedActivity): Promise<Outcome> {
  const { activity, organisation } = verified;
  if (!activity.membersAdded?.some((member) => member.id === activity.recipient.id))
    return { kind: 'ignored', why: 'others came or went' };
  const place = placeOf(activity);
  const bound = await bind(core, verified, place);
  await rememberConfig(core, organisation, bound.binding, configOf(place, activity, true));
  const threadPlace = place.kind === 'channel' ? `${newThreadPlace}welcome` : chatPlace;
  await append(core, {
    organisation,
    stream: bound.stream,
    threadPlace: { binding: bound.binding, externalId: threadPlace },
    author: null,
    sourceKind: 'notice',
    message: { body: welcomeText(place.kind) },
    receipts: [`welcome:${bound.binding}`],
  });
  return { kind: 'welcomed' };
}

/** The place of a Thread that begins with what is said from here: it becomes a thread of the channel when that is delivered. */
export const newThreadPlace = 'new:';

/** The content type of a file in a message ("Send and receive files through the bot"). */
const fileInfo = 'application/vnd.microsoft.teams.file.download.info';

/** Files and pictures: where they lie. Teams does not say how large they are. */
function attachmentsOf(activity: Activity): Attachment[] {
  const attachments: Attachment[] = [];
  for (const attachment of activity.attachments ?? []) {
    if (!attachment) continue;
    const { contentType, contentUrl, content, name } = attachment;
    const url = contentType === fileInfo ? (content as { downloadUrl?: unknown } | null)?.downloadUrl : contentUrl;
    const isFile = contentType === fileInfo || contentType?.startsWith('image/');
    if (!isFile || typeof url !== 'string' || !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) continue;
    const type = contentType === fileInfo ? 'application/octet-stream' : (contentType ?? '');
    attachments.push({ name: name?.slice(0, 200) || 'picture', type, size: 0, url });
  }
  return attachments.slice(0, 50);
}
