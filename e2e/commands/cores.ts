import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readMetrics } from '../clients/core-metrics.ts';
import { sendMail } from '../clients/send-mail.ts';
import { sendMany } from '../clients/send-many-mails.ts';
import { switchboardValue } from '../clients/switchboard-command.ts';
import { hireTalkers, readExchange } from '../clients/talkers.ts';
import { connectWorker } from '../clients/worker-mcp.ts';
import { query } from '../database.ts';
import { modelSettings } from '../house.ts';
import { judgeAnswers } from '../judge-answers.ts';
import { type MeasuredRun, measuredRun, until } from '../measured-run.ts';
import { type Core, startCore } from '../processes.ts';
import { openSharedDatabase, type SharedDatabase } from '../shared-database.ts';
import { type MailSink, startMailSink } from '../stand-ins/mail-sink.ts';
import { alwaysAnswer, lastMessage } from '../stand-ins/model-scripts.ts';
import { type ModelServer, startModelServer } from '../stand-ins/model-server.ts';
import { countOpenWork, readStoredMails } from '../stored-mail.ts';

const { values } = parseArgs({
  options: { mails: { type: 'string', default: '500' }, json: { type: 'boolean', default: false } },
});
const mailCount = Number(values.mails);

/** How often, and how long, a core is paused under load: first while its locks may hold, then while we count. */
const pauses = { count: 5, silentMs: 5500, lookMs: 2500 };

type Site = { database: SharedDatabase; cores: Core[]; sink: MailSink; model: ModelServer };

await measuredRun(
  { title: `Two cores on one database: ${mailCount} mails`, limitMinutes: 8 + mailCount / 200 },
  async (run) => {
    const site = await openSite(run);
    await shareMails(run, site);
    await pauseOne(run, site);
    await pauseUnderLoad(run, site);
    await letTwoTalk(run, site);
    for (const [n, core] of site.cores.entries()) {
      const end = await core.stop();
      run.goal(`end of core ${n + 1} on SIGTERM`, `code ${end.code}`, 'code 0', end.code === 0);
    }
  },
);

async function openSite(run: MeasuredRun): Promise<Site> {
  const database = await openSharedDatabase();
  run.defer(() => database.close());
  const sink = await startMailSink();
  run.defer(() => sink.close());
  const model = await startModelServer({
    script: (request) => ({ text: `echo: ${lastMessage(request)}`, delayMs: 50 }),
  });
  run.defer(() => model.close());
  const settings = { ...database.env, ...modelSettings(model), SMTP_URL: sink.url, MAIL_TRUSTED_RELAYS: '127.0.0.1' };
  const cores: Core[] = [];
  run.defer(() => Promise.all(cores.map((core) => core.killEverything())));
  // Both at once on an empty database: one of them migrates it and fills it, the other waits.
  for (const name of ['one', 'two'])
    cores.push(await startCore({ dataDirectory: database.folder(name), env: settings }));
  await Promise.all(cores.map((core) => core.waitReady()));
  return { database, cores, sink, model };
}

async function shareMails(run: MeasuredRun, { database, cores, sink }: Site): Promise<void> {
  const began = performance.now();
  const sending = cores.map((core, n) =>
    sendMany({ port: core.smtpPort, mails: mailsFor(n, cores.length), connections: 2, retryForMs: 30_000 }),
  );
  const sent = await Promise.all(sending);
  const accepted = sent.flatMap((each) => each.accepted).length;
  run.goal('mails answered 250', accepted, String(mailCount), accepted === mailCount);
  await until(async () => sumOf(await countOpenWork(database.url)) === 0, 60_000 + mailCount * 200);
  const seconds = (performance.now() - began) / 1000;
  run.say(`all answered after ${seconds.toFixed(1)} s: ${(mailCount / seconds).toFixed(1)} mails a second`);

  const numbers = Array.from({ length: mailCount }, (_, n) => n + 1);
  const stored = await readStoredMails(database.url, numbers.map(messageIdOf));
  judgeAnswers(
    run,
    stored.map((mail, n) => ({ ...mail, marker: markerOf(n + 1) })),
    sink.messages(),
  );
  const metrics = await Promise.all(cores.map((core) => readMetrics(core.url)));
  for (const [what, name, labels] of [
    ['activations', 'switchboard_activations_ended_total', { outcome: 'replied' }],
    ['deliveries', 'switchboard_deliveries_total', { outcome: 'delivered' }],
  ] as const) {
    const done = metrics.map((each) => each.sum(name, labels));
    const least = Math.min(...done);
    run.goal(`${what} of each core`, done.join(' and '), 'each at least a tenth', least >= mailCount / 10);
    run.goal(`${what} of both`, sumOf(done), String(mailCount), sumOf(done) === mailCount);
  }
}

/** Stops one core in mid-thought, for longer than its lease, and lets it go on when the other has answered. */
async function pauseOne(run: MeasuredRun, { database, cores, sink, model }: Site): Promise<void> {
  let asked = 0;
  model.use(() => {
    asked += 1;
    return asked === 1 ? { text: 'the answer of the paused one', delayMs: 3000 } : { text: 'the answer of the other' };
  });
  const port = cores[0]?.smtpPort ?? 0;
  const { messageId } = await sendMail({
    port,
    from: 'pause@example.com',
    to: 'assistant@localhost',
    subject: 'Pause',
    text: 'Think.\n',
  });
  await until(() => asked === 1, 10_000, 10);
  const [lane] = await query<{ holder: string; fence: number }>(
    database.url,
    `select holder, fence from lane where kind = 'activation' and lease_until > now()`,
  );
  const paused = cores.find((core) => lane?.holder.split(':').includes(String(core.pid)));
  if (!lane || !paused) throw new Error(`no core holds the lane: ${JSON.stringify(lane)}`);
  const before = await readMetrics(paused.url);
  paused.kill('SIGSTOP');
  const stoppedAt = performance.now();
  run.defer(() => paused.kill('SIGCONT'));

  const isAnswer = (mail: { inReplyTo: string | undefined }) => mail.inReplyTo === messageId;
  await sink.waitFor(isAnswer, 40_000);
  const took = (performance.now() - stoppedAt) / 1000;
  run.goal(
    'SIGSTOP in mid-activation: the other core answered after',
    `${took.toFixed(1)} s`,
    '10 to 22 s: a lease is 15 s',
    took >= 10 && took < 22,
  );
  await until(async () => sumOf(await countOpenWork(database.url)) === 0, 5000);
  const contents = await fingerprint(database.url);
  paused.kill('SIGCONT');
  const lost = await until(async () => {
    const now = await readMetrics(paused.url);
    return now.sum('switchboard_leases_lost_total') > before.sum('switchboard_leases_lost_total');
  }, 15_000);
  run.goal('the paused core noticed that its lease was lost', lost ? 'yes' : 'no', 'yes', lost === true);
  await sleep(6000);
  const after = await fingerprint(database.url);
  const changed = Object.keys(contents).filter((table) => contents[table] !== after[table]);
  run.goal('tables that changed after it went on', changed.join(', ') || 'none', 'none', changed.length === 0);
  const answers = sink.messages().filter(isAnswer);
  const right = answers.every((mail) => mail.text === 'the answer of the other');
  run.goal('answers to that mail', answers.length, '1, by the other core', answers.length === 1 && right);
}

/**
 * Stops one core at random moments while mail comes in at the other. One that is stopped within a transaction holds its locks until
 * the database ends its session (core/store/database.ts).
 */
async function pauseUnderLoad(run: MeasuredRun, { database, cores, sink, model }: Site): Promise<void> {
  const [busy, paused] = cores;
  if (!busy || !paused) throw new Error('there are not two cores');
  model.use((request) => ({ text: `echo: ${lastMessage(request)}`, delayMs: 20 }));
  let taken = 0;
  let over = false;
  const sending = sendMany({
    port: busy.smtpPort,
    mails: paced(() => over),
    connections: 2,
    retryForMs: 60_000,
    onOutcome: (outcome) => {
      if (outcome.code === 250) taken += 1;
    },
  });
  const late: number[] = [];
  for (let pause = 0; pause < pauses.count; pause += 1) {
    await sleep(500 + Math.random() * 1000, undefined, { signal: run.signal });
    paused.kill('SIGSTOP');
    await sleep(pauses.silentMs);
    const before = taken;
    await sleep(pauses.lookMs);
    late.push(taken - before);
    paused.kill('SIGCONT');
  }
  over = true;
  const { accepted } = await sending;
  run.goal(
    `mails taken by the other core from the 6th to the 8th second of ${pauses.count} pauses under load`,
    late.join(', '),
    'some in each',
    late.every((count) => count > 0),
  );
  await until(async () => sumOf(await countOpenWork(database.url)) === 0, 120_000);
  const stored = await readStoredMails(
    database.url,
    accepted.map((outcome) => outcome.mail.messageId),
  );
  const replied = new Set(sink.messages().map((mail) => mail.messageId));
  const right = stored.filter(
    (mail) => mail.events === 1 && mail.replies.some((reply) => replied.has(`<${reply.delivery}@localhost>`)),
  );
  run.goal(
    'of all those mails stored once and answered',
    right.length,
    String(stored.length),
    right.length === stored.length,
  );
}

/** Some thirty mails a second, which the two cores can answer. */
async function* paced(isOver: () => boolean) {
  for (let n = 1; !isOver(); n += 1) {
    await sleep(33);
    yield { from: `q${n}@example.com`, to: 'assistant@localhost', subject: `Load ${n}`, text: `Number ${n}.\n` };
  }
}

async function letTwoTalk(run: MeasuredRun, { database, cores, model }: Site): Promise<void> {
  model.use(alwaysAnswer('And what do you think?'));
  const [first] = cores;
  if (!first) throw new Error('there is no core');
  const token = await switchboardValue(['token', 'w-owner'], { dataDirectory: first.dataDirectory, env: database.env });
  await using owner = await connectWorker(first.url, 'w-owner', token);
  const talkers = await hireTalkers(owner, ['Castor', 'Pollux']);
  const said = await owner.value('publish', { stream: talkers.stream, body: 'What do you make of the weather?' });
  const { thread } = z.object({ thread: z.string() }).parse(said);
  const exchange = await readExchange(owner, talkers.stream, thread);
  const [deepest] = await query<{ hops: number }>(
    database.url,
    'select max(hops) as hops from event where thread = $1',
    [thread],
  );
  run.say(`two agents that always answer: ${exchange.answers} answers, the longest chain ${deepest?.hops}`);
  run.goal('agents that took part', exchange.authors.length, '2', exchange.authors.length === 2);
  run.goal('longest chain of answers', deepest?.hops ?? 0, '9: nobody is woken past 8', deepest?.hops === 9);
  run.goal('notices of the hop limit', exchange.notices.length, '1', exchange.notices.length === 1);
}

/** A sum over everything in the tables that work writes to. */
async function fingerprint(url: string): Promise<Record<string, string>> {
  const tables = ['event', 'trigger', 'activation', 'step', 'delivery', 'receipt', 'lane', 'thread', 'participant'];
  const found: Record<string, string> = {};
  for (const table of tables) {
    const [row] = await query<{ sum: string }>(
      url,
      `select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as sum from ${table} t`,
    );
    found[table] = row?.sum ?? '';
  }
  return found;
}

function* mailsFor(core: number, cores: number) {
  for (let n = core + 1; n <= mailCount; n += cores)
    yield {
      from: `p${n}@example.com`,
      to: 'assistant@localhost',
      subject: `Mail ${n}`,
      text: `${markerOf(n)} What about it?\n`,
      messageId: messageIdOf(n),
    };
}

function markerOf(n: number): string {
  return `This is mail number ${n}.`;
}

function messageIdOf(n: number): string {
  return `<cores-${n}@client.localhost>`;
}

function sumOf(counts: readonly number[] | Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
