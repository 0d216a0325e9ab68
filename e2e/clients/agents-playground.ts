import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { ownEnvironment } from '../processes.ts';

/** What the Playground's page shows of a bot's message; the latest text of one that is edited. */
export type PlaygroundMessage = { id: string; conversation: string; text: string; edits: number };

/** Microsoft's 365 Agents Playground: a chat like Teams' against a bot on this machine, with a page and an HTTP API. */
export type AgentsPlayground = AsyncDisposable & {
  /** Its page. */
  url: string;
  pid: number;
  /** Its conversations. */
  places: { personal: string; group: string; channel: string };
  /**
   * Says something as its user; `mention` puts a mention of the bot before it. Gives the conversation it was said in: of a channel
   * the new thread.
   */
  say(conversation: string, text: string, options?: { mention?: boolean }): Promise<string>;
  /** Sends the bot a message that Teams would pass on without a mention (with the permission for it). */
  sayUnheard(conversation: string, text: string): Promise<void>;
  /** The bot's messages in a conversation, in order. */
  messages(conversation: string): PlaygroundMessage[];
  /** How often the bot has shown that it is typing there. */
  typings(conversation: string): number;
};

const program = join(import.meta.dirname, '..', '..', 'node_modules', '@microsoft', 'm365agentsplayground', 'cli.js');
const onLoopback = pathToFileURL(join(import.meta.dirname, 'listen-on-loopback.ts')).href;
const startMs = 30_000;

const person = (number: number, name: string) => {
  const [givenName = '', surname = ''] = name.split(' ');
  const email = `${givenName.toLowerCase()}@example.com`;
  const aadObjectId = `00000000-0000-4000-8000-00000000002${number}`;
  return { id: `user-${number}`, name, userPrincipleName: email, email, givenName, surname, aadObjectId };
};

const bot = { id: '00000000-0000-4000-8000-000000000011', name: 'Switchboard' };
const me = person(0, 'Ada Okafor');
const others = ['Ben Sato', 'Chloe Marin', 'Dev Patel', 'Elin Berg', 'Femi Ade'].map((name, n) => person(n + 1, name));

/** Who and what there is in it: its configuration file (https://aka.ms/teams-app-test-tool-config-guide). */
const configuration = {
  version: '0.1.0',
  tenantId: '00000000-0000-4000-8000-000000000001',
  bot,
  currentUser: me,
  users: others,
  personalChat: { id: 'personal-chat-id' },
  groupChat: { id: 'group-chat-id', name: 'Launch crew' },
  team: {
    id: 'team-id',
    name: 'Product',
    aadGroupId: '00000000-0000-4000-8000-000000000031',
    // Beside the General channel, whose id is the team's.
    channels: [{ id: 'channel-releases-id', name: 'Releases' }],
  },
};

const frame = z.object({
  action: z.string(),
  actionConversationId: z.string(),
  message: z.object({ messageId: z.string(), text: z.string().optional() }).optional(),
});

/** Starts it on a free port of 127.0.0.1, without telemetry, for a bot's endpoint. */
export async function startAgentsPlayground(endpoint: string): Promise<AgentsPlayground> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-playground-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  // JSON is YAML.
  await writeFile(join(folder, '.m365agentsplayground.yml'), JSON.stringify(configuration));
  const args = ['start', '-e', endpoint, '-c', 'msteams', '-p', '0', '--disable-telemetry'];
  const child = spawn(process.execPath, ['--import', onLoopback, program, ...args], {
    cwd: folder,
    env: {
      ...ownEnvironment(),
      HOME: folder,
      TEAMSAPPTESTER_BROWSER: 'none',
      M365_AGENTS_PLAYGROUND_LOGFILE: join(folder, 'log'),
      APPLICATION_INSIGHTS_NO_STATSBEAT: '1',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  opened.defer(() => end(child));
  const url = `http://127.0.0.1:${await portOf(child)}`;
  const seen = new Map<string, Map<string, PlaygroundMessage>>();
  const typings = new Map<string, number>();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/_ws_conversation/v1/conversations/stream`);
  opened.defer(() => socket.close());
  socket.addEventListener('message', (event) => note(frame.safeParse(JSON.parse(String(event.data))).data));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('the Agents Playground does not take its configuration')));
  });

  function note(shown: z.output<typeof frame> | undefined): void {
    if (!shown) return;
    const { action, actionConversationId: conversation, message } = shown;
    if (action === 'typing') typings.set(conversation, (typings.get(conversation) ?? 0) + 1);
    if (!message) return;
    const there = seen.get(conversation) ?? new Map<string, PlaygroundMessage>();
    seen.set(conversation, there);
    const before = there.get(message.messageId);
    const edits = before ? before.edits + 1 : 0;
    there.set(message.messageId, { id: message.messageId, conversation, text: message.text ?? '', edits });
  }

  const kept = opened.move();
  return {
    url,
    pid: child.pid ?? 0,
    places: { personal: 'personal-chat-id', group: 'group-chat-id', channel: 'team-id' },
    async say(conversation, text, { mention = false } = {}) {
      const tag = `<at>${bot.name}</at>`;
      const answer = await json(`${url}/_conversation/v1/conversations/${encodeURIComponent(conversation)}/messages`, {
        from: { id: me.id },
        text: mention ? `${tag} ${text}` : text,
        textFormat: 'plain',
        ...(mention ? { mentions: [{ mentioned: { id: bot.id }, text: tag }] } : {}),
      });
      return z.object({ postConversationId: z.string().optional() }).parse(answer).postConversationId ?? conversation;
    },
    async sayUnheard(conversation, text) {
      const [channel = ''] = conversation.split(';');
      const path = `/_internal/v1/customActivities/template?conversationId=${encodeURIComponent(channel)}&type=channelCreated`;
      const template = z
        .looseObject({ conversation: z.looseObject({}), channelData: z.looseObject({}) })
        .parse(await json(`${url}${path}`));
      await json(`${url}/_internal/v1/customActivities`, {
        ...template,
        type: 'message',
        text,
        textFormat: 'plain',
        conversation: { ...template.conversation, id: conversation },
        channelData: { ...template.channelData, eventType: undefined },
      });
    },
    messages: (conversation) => [...(seen.get(conversation)?.values() ?? [])],
    typings: (conversation) => typings.get(conversation) ?? 0,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The port that it prints once it listens. */
async function portOf(child: ChildProcess): Promise<number> {
  let printed = '';
  const late = AbortSignal.timeout(startMs);
  for (;;) {
    const ended = once(child, 'exit', { signal: late }).then(() => {
      throw new Error(`the Agents Playground ended at its start:\n${printed}`);
    });
    const data = once(child.stdout ?? child, 'data', { signal: late });
    const [chunk] = await Promise.race([data, ended]);
    printed += String(chunk);
    const port = /Listening on (\d+)/.exec(printed)?.[1];
    if (port === undefined) continue;
    child.stdout?.resume();
    return Number(port);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** A GET, or a POST where there is a body. An empty answer is undefined. */
async function json(url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(startMs),
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the Agents Playground answered ${response.status} to ${url}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
