import type { ChatAnswer, Core } from '../core.ts';
import { redactLinks } from '../desktops/redact-links.ts';
import { findSender } from '../organisation/identities.ts';
import { pairIdentity, readPairingCode } from '../organisation/pairing.ts';
import type { BindingId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { findAddressed, isAside, parseCommand } from './address.ts';
import { type Appended, type AppendInput, append, coreScope } from './append.ts';
import type { FoundMessage } from './find-place.ts';
import type { Message } from './message.ts';
import { tellAlone } from './tell-alone.ts';
import { threadCommands } from './thread-commands.ts';

/** Who sent a Message: somebody on a platform, or a Worker whom the door has authenticated itself. */
export type Sender =
  | {
      /**
       * A (platform, id) not seen before becomes a guest. What isn't verified must come under a platform of its own
       * (`mail-unverified`), so that nobody becomes a known person by writing that person's address.
       */
      platform: string;
      externalId: string;
      name: string;
      verified: boolean;
    }
  | { worker: WorkerId };

/** A Message from outside, verified and mapped by its door. */
export interface Incoming {
  organisation: OrganisationId;
  /** Where it came by. A door without a place of its own outside (the terminal) names the Stream alone. */
  binding: { id: BindingId | null; stream: StreamId };
  sender: Sender;
  /** `body` is what the person wrote, without the mention of the bot. */
  message: Partial<Message> & Pick<Message, 'body'>;
  /** What the platform calls this message: all its names. */
  receipts: readonly string[];
  /** The Thread, when the door knows it; else `threadPlace` finds or makes it. */
  thread?: ThreadId;
  threadPlace?: string;
  /** What the door found out with the place (find-place.ts), for this Thread; without it, it is asked here. */
  found?: FoundMessage;
  /** Workers addressed whatever the text says: the one behind a mail alias. */
  addressed?: readonly WorkerId[];
  /** Stored, but wakes nobody and commands nothing: automatic mail, a sender over the limit. */
  silent?: boolean;
}

/** What became of it. `answered`: it was a command, and the core's own answer is in the Thread. */
export interface Received {
  kind: 'appended' | 'answered';
  sender: WorkerId;
  appended: Appended;
}

/**
 * What every door calls. Finds or makes the sender, consumes a pairing code, picks the Worker named at the head of the text, runs
 * a command of the thread (`stop`, `mute`, `help`, …), and appends, without the tokens of links of ours that were quoted. When it returns,
 * all of it is committed.
 *
 * @throws what append() throws: then nothing was accepted and the platform must be told so.
 */
export async function receive(core: Core, given: Incoming): Promise<Received> {
  const incoming = withoutOurTokens(core, given);
  const { found } = incoming;
  const [sender, named] = await Promise.all([
    'worker' in incoming.sender
      ? incoming.sender.worker
      : (found?.sender ?? findSender(core.database, incoming.organisation, incoming.sender)),
    found || incoming.silent
      ? (found?.named ?? null)
      : findAddressed(core.database, incoming.organisation, incoming.message.body),
  ]);
  const input = inputOf(incoming, sender);
  if (incoming.silent) return { kind: 'appended', sender, appended: await append(core, { ...input, silent: true }) };

  const text = incoming.message.body;
  const code = readPairingCode(text);
  if (code)
    return await answer(core, incoming, sender, withoutCode(input), async () => await pair(core, incoming, code));
  if (isAside(text))
    return {
      kind: 'appended',
      sender,
      appended: await append(core, { ...input, ...marked(input, { aside: true }), silent: true }),
    };

  const command = parseCommand(text);
  const threadCommand = command && threadCommands.find((known) => known.name === command.name);
  if (command && threadCommand && (command.slash || command.argument === ''))
    return await answer(core, incoming, sender, { ...input, ...marked(input, { command: command.name }) }, (appended) =>
      threadCommand.run(core, incoming.organisation, appended.thread),
    );
  const prompt =
    command &&
    (await core.prompts.inChat(core, {
      organisation: incoming.organisation,
      worker: sender,
      command,
      stream: incoming.binding.stream,
      ...(incoming.thread ? { thread: incoming.thread } : {}),
    }));
  if (prompt?.kind === 'answer')
    return await answer(
      core,
      incoming,
      sender,
      { ...input, ...marked(input, { command: command?.name }) },
      prompt.answer,
    );

  const appended = await append(core, {
    ...input,
    ...(prompt ? marked(input, { prompt: { name: command?.name, text: prompt.text } }) : {}),
    addressed: named ? [named] : (incoming.addressed ?? []),
    addressedByName: named !== null,
  });
  return { kind: 'appended', sender, appended };
}

function withoutOurTokens({ publicUrl }: Core, incoming: Incoming): Incoming {
  const { body, subject } = incoming.message;
  const message = {
    ...incoming.message,
    body: redactLinks(publicUrl, body),
    ...(subject === undefined ? {} : { subject: redactLinks(publicUrl, subject) }),
  };
  return { ...incoming, message };
}

function inputOf(incoming: Incoming, sender: WorkerId): AppendInput {
  const { id } = incoming.binding;
  return {
    organisation: incoming.organisation,
    stream: incoming.binding.stream,
    author: sender,
    sourceKind: 'human',
    message: incoming.message,
    receipts: incoming.receipts,
    addressed: incoming.addressed ?? [],
    ...(id ? { cameBy: id } : {}),
    ...(incoming.thread ? { thread: incoming.thread } : {}),
    ...(incoming.found ? { resolved: incoming.found.resolved } : {}),
    ...(id && incoming.threadPlace ? { threadPlace: { binding: id, externalId: incoming.threadPlace } } : {}),
  };
}

function marked(input: AppendInput, extra: Record<string, unknown>): Pick<AppendInput, 'message'> {
  return { message: { ...input.message, extra: { ...input.message.extra, ...extra } } };
}

/** The code itself is stored nowhere. */
function withoutCode(input: AppendInput): AppendInput {
  return {
    ...input,
    message: {
      ...input.message,
      body: '(a pairing code)',
      extra: { ...input.message.extra, command: 'pair' },
    },
  };
}

async function pair(core: Core, incoming: Incoming, code: string): Promise<string> {
  if ('worker' in incoming.sender) return 'You are known here already: pairing codes are for mail, Slack and Teams.';
  if (!incoming.sender.verified)
    return 'This code can only be used from an authenticated address: your mail arrived without a proof of who sent it.';
  const worker = await pairIdentity(core.database, incoming.organisation, code, incoming.sender);
  if (!worker) return 'This code is not valid (any more). `npx switchboard pair` makes a new one.';
  return 'Done: you are linked. From now on I know you here.';
}

/**
 * The person's message wakes nobody; what the core says to it is a notice in the same Thread, or is shown to the person alone. A message
 * that comes again because its sender was never told that we have it is answered if it was not, and only once.
 */
async function answer(
  core: Core,
  incoming: Incoming,
  sender: WorkerId,
  input: AppendInput,
  say: (appended: Appended) => Promise<string | ChatAnswer>,
): Promise<Received> {
  const appended = await append(core, { ...input, silent: true });
  const answered = `answer:${appended.event}`;
  const before = await core.database.query(
    'select 1 from receipt where organisation = $1 and binding = $2 and external_id = $3',
    [input.organisation, coreScope, answered],
  );
  if (before.length > 0) return { kind: 'answered', sender, appended };
  const said = await say(appended);
  let full: ChatAnswer = typeof said === 'string' ? { text: said } : said;
  if (full.alone) {
    const told = await tellAlone(core, { incoming, sender, appended, answered }, full);
    if (told === 'told') return { kind: 'answered', sender, appended };
    if (told === 'failed') full = { text: 'I could not show you this alone just now: say it again in a moment.' };
  }
  await append(core, {
    organisation: input.organisation,
    stream: input.stream,
    thread: appended.thread,
    author: null,
    sourceKind: 'notice',
    message: {
      body: full.text,
      subject: input.message.subject ?? '',
      inReplyTo: input.message.messageId ?? null,
      extra: { answers: appended.event, ...(full.shown ? { desktop: full.shown } : {}) },
      ...(full.attachments ? { attachments: full.attachments } : {}),
    },
    receipts: [answered],
  });
  return { kind: 'answered', sender, appended };
}
