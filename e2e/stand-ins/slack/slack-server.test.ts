import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebClient } from '@slack/web-api';
import { afterEach, describe, expect, it } from 'vitest';
import { startProgram } from '../start-program.ts';
import { readJournal } from './journal.ts';
import { type SlackServer, type SlackServerOptions, startSlackServer } from './slack-server.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options?: SlackServerOptions): Promise<{ server: SlackServer; client: WebClient }> {
  const server = await startSlackServer(options);
  cleanups.push(() => server.close());
  server.workspace.addChannel('C1', { members: ['U1'] });
  return { server, client: clientOf(server.apiUrl, server.token) };
}

function clientOf(slackApiUrl: string, token: string): WebClient {
  const silent = {
    debug() {},
    info() {},
    warn() {},
    error() {},
    setLevel() {},
    getLevel: () => 'error' as never,
    setName() {},
  };
  return new WebClient(token, {
    slackApiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: silent,
  });
}

/** Slack's error code of a call. */
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'ok',
    (error: { data?: { error?: string }; code?: string }) => error.data?.error ?? error.code,
  );

describe('the stand-in for Slack', () => {
  it('knows one token', async () => {
    const { server } = await open();
    expect(await clientOf(server.apiUrl, server.token).auth.test()).toMatchObject({
      ok: true,
      team_id: 'T0ACME',
      user_id: 'U0BOT',
      bot_id: 'B0BOT',
    });
    expect(await codeOf(clientOf(server.apiUrl, 'xoxb-other').auth.test())).toBe('invalid_auth');
    const response = await fetch(`${server.apiUrl}auth.test`, { method: 'POST' });
    expect(await response.json()).toEqual({ ok: false, error: 'not_authed' });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an unknown channel', { channel: 'C9', text: 'x' }, 'channel_not_found'],
    ['no content', { channel: 'C1' }, 'no_text'],
    ['an empty text', { channel: 'C1', text: ' ' }, 'no_text'],
    ['too long a text', { channel: 'C1', text: 'x'.repeat(40_001) }, 'msg_too_long'],
    [
      'too long a block',
      { channel: 'C1', text: 'x', blocks: [{ type: 'markdown', text: 'x'.repeat(12_001) }] },
      'msg_blocks_too_long',
    ],
    ['an unknown block', { channel: 'C1', text: 'x', blocks: [{ type: 'nonsense' }] }, 'invalid_blocks'],
    ['markdown beside text', { channel: 'C1', text: 'x', markdown_text: 'x' }, 'markdown_text_conflict'],
    ['a thread that is not there', { channel: 'C1', text: 'x', thread_ts: '1700000000.000001' }, 'thread_not_found'],
    [
      'metadata that is nested',
      { channel: 'C1', text: 'x', metadata: { event_type: 'a', event_payload: { b: {} } } },
      'invalid_metadata_format',
    ],
    ['an argument that there is not', { channel: 'C1', text: 'x', txet: 'x' }, 'invalid_arguments'],
  ])('refuses a message with %s', async (_what, args, code) => {
    const { server, client } = await open();
    expect(await codeOf(client.apiCall('chat.postMessage', args))).toBe(code);
    expect(server.workspace.byApp()).toEqual([]);
  });

  it('keeps threads, edits and deletes, and gives metadata to those who ask for it', async () => {
    const { server, client } = await open();
    const root = server.workspace.store({ channel: 'C1', user: 'U1', text: 'question' });
    const metadata = { event_type: 'delivery', event_payload: { id: 'd-1' } };
    const { ts = '' } = await client.chat.postMessage({ channel: 'C1', text: 'one', thread_ts: root.ts, metadata });
    await client.chat.update({ channel: 'C1', ts, text: 'two' });
    expect(await codeOf(client.chat.update({ channel: 'C1', ts, text: 'x'.repeat(4001) }))).toBe('msg_too_long');
    expect(await codeOf(client.chat.update({ channel: 'C1', ts: root.ts, text: 'x' }))).toBe('cant_update_message');
    expect(await codeOf(client.chat.postMessage({ channel: 'C1', text: 'x', thread_ts: ts }))).toBe(
      'cannot_reply_to_message',
    );
    const thread = await client.conversations.replies({ channel: 'C1', ts: root.ts, include_all_metadata: true });
    expect(thread.messages).toMatchObject([{ text: 'question' }, { text: 'two', metadata, bot_id: 'B0BOT' }]);
    const history = await client.conversations.history({ channel: 'C1' });
    expect(history.messages?.map((message) => message.text)).toEqual(['question']);
    await client.chat.delete({ channel: 'C1', ts });
    expect(await codeOf(client.chat.update({ channel: 'C1', ts, text: 'x' }))).toBe('message_not_found');
    expect(server.replies('C1', root.ts)).toEqual([]);
  });

  it('lets nobody write where the app is not, or in an archive', async () => {
    const { server, client } = await open();
    server.workspace.addChannel('C2').members.delete('U0BOT');
    server.workspace.addChannel('C3').archived = true;
    expect(await codeOf(client.chat.postMessage({ channel: 'C2', text: 'x' }))).toBe('not_in_channel');
    expect(await codeOf(client.chat.postMessage({ channel: 'C3', text: 'x' }))).toBe('is_archived');
  });

  it('gives pages', async () => {
    const { server, client } = await open();
    for (let n = 1; n <= 5; n++) server.workspace.store({ channel: 'C1', user: 'U1', text: String(n) });
    const texts: unknown[] = [];
    for await (const page of client.paginate('conversations.history', { channel: 'C1', limit: 2 }))
      texts.push((page as unknown as { messages: { text: string }[] }).messages.map((message) => message.text));
    expect(texts).toEqual([['5', '4'], ['3', '2'], ['1']]);
  });

  it('answers 429 with Retry-After in a storm and over a limit, and counts who comes too early', async () => {
    const { server, client } = await open({
      limits: { 'chat.postMessage': { burst: 2, perMinute: 1, by: 'channel' } },
    });
    server.workspace.addChannel('C2');
    const post = (channel: string) => codeOf(client.chat.postMessage({ channel, text: 'x' }));
    expect([await post('C1'), await post('C1'), await post('C1'), await post('C2')]).toEqual([
      'ok',
      'ok',
      'slack_webapi_rate_limited_error',
      'ok',
    ]);
    expect(server.limits.early()).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await post('C1');
    expect(server.limits.early()).toBe(1);
    server.limits.storm({ methods: ['users.info'], retryAfter: 30, forMs: 60_000 });
    const error = await client.users.info({ user: 'U1' }).catch((each: { retryAfter?: number }) => each);
    expect(error).toMatchObject({ retryAfter: 30 });
    server.limits.storm({ methods: ['auth.test'], retryAfter: 30, forMs: 200 });
    await expect.poll(() => codeOf(client.auth.test())).toBe('ok');
  });

  it('runs as a program that has written down each message before it answers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slack-stand-in-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const journal = join(folder, 'journal');
    expect(readJournal(journal)).toEqual([]);
    const program = await startProgram('slack/slack-server.ts', ['--journal', journal, '--token', 'xoxb-x']);
    cleanups.push(() => program.stop());
    const client = clientOf(program.url, 'xoxb-x');
    const metadata = { event_type: 'switchboard_delivery', event_payload: { delivery: 'd-1' } };
    // It knows neither the channel nor the thread: the events come from another process.
    const { ts = '' } = await client.chat.postMessage({
      channel: 'C7',
      text: 'one',
      thread_ts: '1700000000.000001',
      metadata,
    });
    process.kill(program.pid, 'SIGKILL');
    expect(readJournal(journal)).toMatchObject([
      { method: 'chat.postMessage', channel: 'C7', ts, threadTs: '1700000000.000001', text: 'one', delivery: 'd-1' },
    ]);
  });

  describe('takes files in three steps', () => {
    const announce = (client: WebClient, length = 3) =>
      client.files.getUploadURLExternal({ filename: 'a.jpg', length }) as Promise<{
        upload_url: string;
        file_id: string;
      }>;
    const bytes = (url: string, body: string, headers: Record<string, string> = {}) =>
      fetch(url, { method: 'POST', body, headers }).then((response) => response.status);
    const complete = (client: WebClient, id: string, rest: object = {}) =>
      client.files.completeUploadExternal({ files: [{ id, title: 'A' }], ...rest } as never);
    const show = (client: WebClient, ...blocks: object[]) =>
      codeOf(client.chat.postMessage({ channel: 'C1', text: 'x', blocks: blocks as never }));
    const image = (id: string, rest: object = {}) => ({ type: 'image', slack_file: { id }, alt_text: 'a', ...rest });

    it('of which each needs the one before, and the bytes that were announced', async () => {
      const { client, server } = await open();
      expect(await codeOf(announce(client, 0))).toBe('invalid_arguments');
      const { upload_url: url, file_id: id } = await announce(client);
      expect(await codeOf(complete(client, id))).toBe('file_not_found');
      expect(await bytes(url, 'abcd')).toBe(500);
      expect(await bytes(url, 'abc', { authorization: `Bearer ${server.token}` })).toBe(500);
      expect(await bytes(url, 'abc')).toBe(200);
      expect(await codeOf(client.files.info({ file: id }))).toBe('file_not_found');
      expect(await codeOf(complete(client, id))).toBe('ok');
      expect(await codeOf(complete(client, id))).toBe('file_not_found');
      expect(server.workspace.byApp()).toEqual([]);
    });

    it('and shares them where it is told to, which is one message there', async () => {
      const { client, server } = await open();
      const first = await client.chat.postMessage({ channel: 'C1', text: 'first' });
      const { upload_url: url, file_id: id } = await announce(client);
      await bytes(url, 'abc');
      await complete(client, id, { channel_id: 'C1', thread_ts: first.ts });
      const [shared] = server.replies('C1', first.ts);
      const { messages } = await client.conversations.replies({ channel: 'C1', ts: first.ts ?? '' });
      expect(messages?.[1]).toMatchObject({ ts: shared?.ts, files: [{ id, name: 'a.jpg', title: 'A', size: 3 }] });
      const { file } = await client.files.info({ file: id });
      expect(file?.shares?.public?.C1).toMatchObject([{ ts: shared?.ts, thread_ts: first.ts }]);
    });

    it('and shows them in a block once it has looked at them', async () => {
      const { client, server } = await open();
      const { upload_url: url, file_id: id } = await announce(client);
      expect(await show(client, image(id))).toBe('invalid_blocks');
      await bytes(url, 'abc');
      server.workspace.files.processFor(60_000);
      await complete(client, id);
      expect((await client.files.info({ file: id })).file?.mimetype).toBe('');
      expect(await show(client, image(id))).toBe('invalid_blocks');
      server.workspace.files.processFor(200);
      await expect.poll(async () => (await client.files.info({ file: id })).file?.mimetype).toBe('image/jpeg');
      expect(await show(client, image(id))).toBe('ok');
    });

    it.each([
      ['an image without a text for who cannot see it', { type: 'image', image_url: 'https://example.com/a.jpg' }],
      ['an image from two places', image('F1', { image_url: 'https://example.com/a.jpg' })],
      ['no buttons', { type: 'actions', elements: [] }],
      [
        'a button without a name',
        { type: 'actions', elements: [{ type: 'button', text: { type: 'plain_text', text: 'x' } }] },
      ],
      [
        'a button with a link to nowhere',
        {
          type: 'actions',
          elements: [{ type: 'button', action_id: 'a', text: { type: 'plain_text', text: 'x' }, url: 'nowhere' }],
        },
      ],
      ['markdown in a title', image('F1', { title: { type: 'mrkdwn', text: 'x' } })],
    ])('refuses %s', async (_what, block) => {
      const { client } = await open();
      expect(await show(client, block)).toBe('invalid_blocks');
    });
  });

  it('shows something to one person, who is there, and keeps it nowhere', async () => {
    const { client, server } = await open();
    const ask = (user: string) => codeOf(client.chat.postEphemeral({ channel: 'C1', user, text: 'yours' }));
    expect(await ask('U1')).toBe('ok');
    server.workspace.addUser('U2');
    expect(await ask('U2')).toBe('user_not_in_channel');
    expect(server.workspace.ephemerals).toEqual([{ channel: 'C1', user: 'U1', text: 'yours' }]);
    expect(server.workspace.byApp()).toEqual([]);
  });
});
