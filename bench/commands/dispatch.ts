/**
 * `npm run bench -- dispatch [--json] [--quick]`: how fast the spine is on this machine, in one run: raw commits of the same PostgreSQL, Slack
 * events accepted through HTTP, the way from an append to the start of its Activation, idle and in a house that has been lived in,
 * and a mention to its reply against the least that any such bot has to do. `--quick` measures less and fills no database.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pool } from 'pg';
import { embeddedUrl } from '../../e2e/database.ts';
import { type Core, makeDataDirectory, startCore } from '../../e2e/processes.ts';
import { startModelServer } from '../../e2e/stand-ins/model-server.ts';
import { eventsOf } from '../../e2e/stand-ins/slack/event-bodies.ts';
import { type SlackServer, startSlackServer } from '../../e2e/stand-ins/slack/slack-server.ts';
import { createFigures, percentile } from '../figures.ts';
import { fillDatabase, lived, tidyDatabase } from '../fill-database.ts';
import { createSender, rateOf } from '../send-signed.ts';

const { values: options } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' } } });
const signingSecret = 'bench-signing-secret';
const channels = Array.from({ length: 100 }, (_, n) => `CBENCH${String(n).padStart(3, '0')}`);
const figures = createFigures();
const size = options.quick
  ? { commits: 5_000, events: 2_000, idle: 60, replies: 60 }
  : { commits: 30_000, events: 10_000, idle: 300, replies: 300 };

const dataDirectory = await makeDataDirectory();
const slack = await startSlackServer({ anyChannel: true, remember: 1000 });
/** How long the model thinks; real ones take seconds. */
let modelMs = 0;
const model = await startModelServer({
  script: () => ({ text: 'Here is your answer.', delayMs: modelMs }),
  models: ['scripted'],
  remember: 10,
});
let core: Core | undefined;
let floor: ChildProcess | undefined;
let bare: ChildProcess | undefined;
let packages: ChildProcess | undefined;
const pools: Pool[] = [];
try {
  core = await startCore({
    dataDirectory,
    env: {
      MODEL: 'openai-compatible/scripted',
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'bench',
      SLACK_BOT_TOKEN: slack.token,
      SLACK_SIGNING_SECRET: signingSecret,
      SLACK_API_URL: slack.apiUrl,
      LOG_LEVEL: 'warn',
    },
  });
  await core.waitReady();
  const url = await embeddedUrl(dataDirectory);
  const pool = new Pool({ connectionString: url, max: 8 });
  pools.push(pool);
  const events = createSender({ url: `${core.url}/slack/events`, signingSecret, connections: channels.length });

  await bindChannels(slack, events.send, pool);
  figures.add('core RSS after start', core.rss() / 2 ** 20, 'MiB');
  const raw = await rawCommits(pool);
  figures.add('raw single-row commits, 8 connections', raw, '/s');
  const accepted = await acceptedEvents(slack, events.send, pool);
  figures.add('accepted Slack events, 100 channels', accepted, '/s');
  figures.add('accepted events / raw commits', accepted / raw, '', { atLeast: 0.35 });
  bare = await startFloor(url, slack, model.url, { BARE: '1' });
  figures.add('the same to a bare Bolt app that only answers', await bareEvents(await portOf(bare)), '/s');
  bare.kill('SIGTERM');

  const idle = await starts(slack, events.send, pool);
  figures.add('append → activation start, idle p50', percentile(idle, 0.5), 'ms', { atMost: 10 });
  figures.add('append → activation start, idle p99', percentile(idle, 0.99), 'ms', { atMost: 50 });

  floor = await startFloor(url, slack, model.url);
  const floorEvents = await senderTo(floor);
  packages = await startFloor(url, slack, model.url, { PACKAGES: '1' });
  const packagesEvents = await senderTo(packages);
  for (const atOnce of [1, 8]) {
    const since = await databaseClock(pool);
    const least = await replyTimes(slack, floorEvents.send, atOnce);
    const through = await replyTimes(slack, packagesEvents.send, atOnce);
    const ours = await replyTimes(slack, events.send, atOnce);
    figures.add(`mention → reply, floor, ${atOnce} at once p50`, percentile(least, 0.5), 'ms');
    figures.add(`mention → reply, floor, ${atOnce} at once p99`, percentile(least, 0.99), 'ms');
    figures.add(`mention → reply, ${atOnce} at once p50`, percentile(ours, 0.5), 'ms');
    figures.add(`mention → reply, ${atOnce} at once p99`, percentile(ours, 0.99), 'ms');
    figures.add(`mention → reply / floor, ${atOnce} at once p50`, percentile(ours, 0.5) / percentile(least, 0.5), '×', {
      atMost: 2,
    });
    figures.add(`the floor, but through ai and MCP, ${atOnce} at once p50`, percentile(through, 0.5), 'ms');
    figures.add(
      `mention → reply / the floor through ai and MCP, ${atOnce} at once p50`,
      percentile(ours, 0.5) / percentile(through, 0.5),
      '×',
    );
    await sayWhereTheTimeGoes(pool, since, atOnce);
  }
  floorEvents.close();
  packagesEvents.close();

  if (!options.quick) {
    const begun = performance.now();
    await fillDatabase(pool);
    console.log(
      `filled: ${lived.streams} streams, ${lived.workers} workers, ${lived.events} events in ${Math.round((performance.now() - begun) / 1000)} s`,
    );
    const full = await starts(slack, events.send, pool);
    figures.add('append → activation start, lived in p50', percentile(full, 0.5), 'ms');
    figures.add('append → activation start, lived in p99', percentile(full, 0.99), 'ms');
    figures.add('lived in / idle p50', percentile(full, 0.5) / percentile(idle, 0.5), '×', { atMost: 1.3 });
    figures.add('lived in / idle p99', percentile(full, 0.99) / percentile(idle, 0.99), '×', { atMost: 1.3 });
  }
  figures.add('core RSS at the end', core.rss() / 2 ** 20, 'MiB');
  events.close();
} finally {
  floor?.kill('SIGTERM');
  bare?.kill('SIGTERM');
  packages?.kill('SIGTERM');
  for (const pool of pools) await pool.end();
  await core?.stop();
  await slack.close();
  await model.close();
  await rm(dataDirectory, { recursive: true, force: true });
}
if (options.json) console.log(JSON.stringify(figures.all()));
process.exitCode = figures.met() ? 0 : 1;

type Send = (envelope: object) => Promise<number>;

/** What a person writes in a channel, as the one `message` event that Slack sends for it. */
function spoken(text: string, n: number, threadTs?: string): object {
  const channel = channels[n % channels.length] ?? '';
  slack.workspace.addUser('UBENCH');
  slack.workspace.addChannel(channel).members.add('UBENCH');
  const message = slack.workspace.store({ channel, user: 'UBENCH', text, ...(threadTs ? { threadTs } : {}) });
  const [event] = eventsOf(slack.workspace, message);
  if (!event) throw new Error('the stand-in made no event');
  return event;
}

function mention(n: number, text: string): object {
  return spoken(`<@${slack.workspace.botUser}> ${text}`, n);
}

/** One mention in each channel binds it, and everything is warm afterwards. */
async function bindChannels(_slack: SlackServer, send: Send, pool: Pool): Promise<void> {
  await rateOf(channels.length, 8, (n) => send(mention(n, 'hello')));
  await untilQuiet(pool);
}

async function rawCommits(pool: Pool): Promise<number> {
  await pool.query('create table if not exists raw_row (id bigserial primary key, body text)');
  const commit = () =>
    pool.query({ name: 'raw', text: 'insert into raw_row (body) values ($1)', values: ['x'.repeat(200)] });
  await rateOf(1000, 8, commit);
  return await rateOf(size.commits, 8, commit);
}

/**
 * Mentions, each an Event with its Trigger, once the code is warm, like the bare app's. Assistant works meanwhile, four threads at a time,
 * with a model that takes a second.
 */
async function acceptedEvents(_slack: SlackServer, send: Send, pool: Pool): Promise<number> {
  modelMs = 1000;
  await answeredRate(send);
  const rate = await answeredRate(send);
  modelMs = 0;
  // What is still waiting would disturb the measurements that follow.
  await pool.query(`update trigger set state = 'cancelled' where state = 'waiting'`);
  await untilQuiet(pool);
  await tidyDatabase(pool);
  return rate;
}

/** What sending, HTTP, signatures and Bolt leave of this machine for the rest. */
async function bareEvents(port: number): Promise<number> {
  const sender = createSender({
    url: `http://127.0.0.1:${port}/slack/events`,
    signingSecret,
    connections: channels.length,
  });
  await answeredRate(sender.send);
  const rate = await answeredRate(sender.send);
  sender.close();
  return rate;
}

/** Mentions answered 2xx a second, one a channel at a time. */
async function answeredRate(send: Send): Promise<number> {
  const prepared = Array.from({ length: size.events }, (_, n) => mention(n, `question ${n}`));
  let refused = 0;
  const rate = await rateOf(size.events, channels.length, async (n) => {
    const status = await send(prepared[n] ?? {});
    if (status < 200 || status > 299) refused++;
  });
  if (refused > 0) throw new Error(`${refused} of ${size.events} events were not accepted`);
  return rate;
}

/** Milliseconds from the append of an Event to the start of its Activation, by the database's clock, one at a time. */
async function starts(_slack: SlackServer, send: Send, pool: Pool): Promise<number[]> {
  const begun = await databaseClock(pool);
  for (let n = 0; n < size.idle; n++) {
    await send(mention(n, `idle ${n}`));
    await sleep(60);
  }
  await untilQuiet(pool);
  const { rows } = await pool.query<{ ms: number }>(
    `select (extract(epoch from a.created_at - e.created_at) * 1000)::float8 as ms from trigger t
       join event e on e.organisation = t.organisation and e.id = t.event
       join activation a on a.organisation = t.organisation and a.id = t.activation
     where e.created_at > $1`,
    [begun],
  );
  if (rows.length < size.idle) throw new Error(`only ${rows.length} of ${size.idle} mentions were worked on`);
  return rows.map((row) => row.ms);
}

/** Milliseconds from the sending of a mention to the first message of the app in its thread. */
async function replyTimes(server: SlackServer, send: Send, atOnce: number): Promise<number[]> {
  const begunAt = new Map<string, number>();
  const times: number[] = [];
  const waiting = new Map<string, () => void>();
  server.onWrite((message) => {
    const key = `${message.channel} ${message.threadTs}`;
    const begun = begunAt.get(key);
    if (begun === undefined) return;
    begunAt.delete(key);
    times.push(performance.now() - begun);
    waiting.get(key)?.();
    waiting.delete(key);
  });
  const warm = Math.ceil(size.replies / 5);
  let n = 0;
  await rateOf(size.replies + warm, atOnce, async () => {
    const channel = channels[n++ % channels.length] ?? '';
    const message = server.workspace.store({
      channel,
      user: 'UBENCH',
      text: `<@${server.workspace.botUser}> what is it?`,
    });
    const [event] = eventsOf(server.workspace, message);
    const key = `${channel} ${message.ts}`;
    const answered = new Promise<void>((resolve) => waiting.set(key, resolve));
    begunAt.set(key, performance.now());
    await send(event ?? {});
    await answered;
    await sleep(5);
  });
  return times.slice(warm);
}

async function startFloor(
  databaseUrl: string,
  server: SlackServer,
  modelUrl: string,
  extra: Record<string, string> = {},
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../floor-app.ts')], {
    env: {
      ...process.env,
      ...extra,
      DATABASE_URL: databaseUrl,
      MODEL_URL: modelUrl,
      SLACK_API_URL: server.apiUrl,
      SLACK_BOT_TOKEN: server.token,
      SLACK_SIGNING_SECRET: signingSecret,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return child;
}

async function senderTo(app: ChildProcess): Promise<ReturnType<typeof createSender>> {
  return createSender({
    url: `http://127.0.0.1:${await portOf(app)}/slack/events`,
    signingSecret,
    connections: 16,
  });
}

async function portOf(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('the floor app has no output');
  const [line] = await once(createInterface(child.stdout), 'line');
  return Number(/^listening (\d+)$/.exec(String(line))?.[1]);
}

async function databaseClock(pool: Pool): Promise<Date> {
  const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now');
  if (!rows[0]) throw new Error('a clock gives one row');
  return rows[0].now;
}

/** The spans of the Activations since then, by the database's clock: where a reply's time goes. */
async function sayWhereTheTimeGoes(pool: Pool, since: Date, atOnce: number): Promise<void> {
  const { rows } = await pool.query<Record<string, number>>(
    `select percentile_cont(0.5) within group (order by extract(epoch from a.created_at - e.created_at) * 1000)::float8 as "append → start",
       percentile_cont(0.5) within group (order by extract(epoch from a.ended_at - a.created_at) * 1000)::float8 as "start → reply stored",
       percentile_cont(0.5) within group (order by extract(epoch from d.delivered_at - a.ended_at) * 1000)::float8 as "reply stored → delivered"
     from activation a
       join event e on e.organisation = a.organisation and e.id = a.origin
       join delivery d on d.organisation = a.organisation and d.event = a.reply
     where a.created_at > $1 and d.delivered_at is not null`,
    [since],
  );
  for (const [span, ms] of Object.entries(rows[0] ?? {}))
    figures.add(`  of which ${span}, ${atOnce} at once p50`, ms ?? Number.NaN, 'ms');
}

async function untilQuiet(pool: Pool): Promise<void> {
  for (let waited = 0; waited < 120_000; waited += 100) {
    const { rows } = await pool.query<{ open: number }>(
      `select (select count(*) from lane where ready_at is not null)::int + (select count(*) from trigger where state in ('waiting', 'taken'))::int as open`,
    );
    if (rows[0]?.open === 0) return;
    await sleep(100);
  }
  throw new Error('the core did not become quiet within two minutes');
}
