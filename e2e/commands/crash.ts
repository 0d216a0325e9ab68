import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findFreePort } from '../../core/store/embedded/free-port.ts';
import type { MailToSend } from '../clients/send-mail.ts';
import { type SendManyResult, sendMany } from '../clients/send-many-mails.ts';
import { embeddedUrl } from '../database.ts';
import { modelSettings } from '../house.ts';
import { judgeAnswers } from '../judge-answers.ts';
import { type MeasuredRun, measuredRun, until } from '../measured-run.ts';
import { findDatabaseProcesses } from '../process-tree.ts';
import { type Core, makeDataDirectory, startCore } from '../processes.ts';
import { seededRandom, shuffled } from '../seeded-random.ts';
import { readMailFolder } from '../stand-ins/mail-folder.ts';
import { lastMessage } from '../stand-ins/model-scripts.ts';
import { startModelServer } from '../stand-ins/model-server.ts';
import { startProgram } from '../stand-ins/start-program.ts';
import { countInFlight, countOpenWork, readStoredMails } from '../stored-mail.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mails: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
  },
});
if (positionals.join(' ') !== 'mail') {
  process.stderr.write('usage: npm run e2e:crash -- mail [--mails 1000] [--kills 10] [--seed n] [--json]\n');
  process.exit(1);
}
const mailCount = Number(values.mails);
const killCount = Number(values.kills);
const random = seededRandom(Number(values.seed));

/** So slow that a backlog builds up and kills meet work in flight: four Activations and up to eight Deliveries run at once. */
const thinkingMs = 300;
/** Between a mail's being on the sink's disk and its 250: who is killed here sends it again. */
const sinkDelayMs = 80;
/** Every fourth mail goes on with an earlier one of its sender. */
const followUpEvery = 4;
/** Seconds between a start and the next kill. A lease that was lost is waited for, up to 15 s, before there is work again. */
const gap = { from: 4, to: 28 };

await measuredRun(
  {
    title: `${mailCount} mails while ${killCount} SIGKILLs fall (seed ${values.seed})`,
    limitMinutes: 6 + killCount * 0.6 + mailCount / 300,
  },
  crash,
);

async function crash(run: MeasuredRun): Promise<void> {
  const dataDirectory = await makeDataDirectory();
  run.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  const folder = join(dataDirectory, 'sink');
  const sink = await startProgram('mail-sink.ts', ['--folder', folder, '--delay-ms', String(sinkDelayMs)]);
  run.defer(() => sink.stop());
  const model = await startModelServer({
    script: (request) => ({ text: `echo: ${lastMessage(request)}`, delayMs: thinkingMs, chunks: 1 }),
    remember: 10,
  });
  run.defer(() => model.close());

  const ports = { port: await findFreePort(), smtpPort: await findFreePort() };
  const env = { ...modelSettings(model), SMTP_URL: sink.url, MAIL_TRUSTED_RELAYS: '127.0.0.1', LOG_LEVEL: 'warn' };
  let core = await startCore({ dataDirectory, ...ports, env });
  run.defer(() => core.killEverything());
  await core.waitReady();

  let accepted = 0;
  const sending = sendMany({
    port: ports.smtpPort,
    mails: paced(mails(), ((gap.from + gap.to) / 2) * 1000 * killCount),
    connections: 6,
    retryForMs: 180_000,
    retryEveryMs: 150,
    onOutcome: (outcome) => {
      if (outcome.code === 250) accepted += 1;
    },
  });

  let whileBusy = 0;
  const kinds = Array.from({ length: killCount }, (_, n) =>
    n % 2 === 0 ? ('everything' as const) : ('core' as const),
  );
  for (const [n, kind] of shuffled(kinds, random).entries()) {
    await sleep((gap.from + random() * (gap.to - gap.from)) * 1000, undefined, { signal: run.signal });
    const held = await countInFlight(await embeddedUrl(dataDirectory), core.pid);
    if (held.activations + held.deliveries > 0) whileBusy += 1;
    await kill(core, kind);
    const answers = readMailFolder(folder).length;
    const again = performance.now();
    core = await startCore({ dataDirectory, ...ports, env });
    await core.waitReady();
    run.say(
      `kill ${String(n + 1).padStart(2)}: ${kind === 'core' ? 'the core alone           ' : 'everything and PostgreSQL'}  ` +
        `in flight: ${held.activations} activations, ${held.deliveries} deliveries;  ` +
        `so far ${accepted} mails taken, ${answers} answers;  ready again in ${Math.round(performance.now() - again)} ms`,
    );
  }
  const sent = await sending;
  run.say(
    `all sent; a 250 came after ${sent.latencyMs.p50.toFixed(0)} ms (median), the slowest after ${sent.latencyMs.max.toFixed(0)} ms`,
  );

  const url = await embeddedUrl(dataDirectory);
  const open = async () => Object.values(await countOpenWork(url)).reduce((sum, count) => sum + count, 0);
  await until(async () => (await open()) === 0, 60_000 + mailCount * 500);
  run.goal('work left open', await open(), '0', (await open()) === 0);
  run.goal('SIGKILLs, half of each kind', killCount, values.kills, true);
  run.goal('of them with work in flight', whileBusy, 'at least a third', whileBusy >= killCount / 3);
  await judge(run, url, sent, folder);

  const end = await core.stop();
  run.goal('end of the last core on SIGTERM', `code ${end.code}`, 'code 0', end.code === 0);
  const left = findDatabaseProcesses(dataDirectory).length;
  run.goal('processes of its database left', left, '0', left === 0);
}

async function kill(core: Core, kind: 'everything' | 'core'): Promise<void> {
  if (kind === 'everything') return core.killEverything();
  core.kill('SIGKILL');
  await core.exited;
}

/** Hands the mails out evenly over a time, so that they come before, during and after each kill. */
async function* paced(source: Iterable<MailToSend>, ms: number): AsyncGenerator<MailToSend> {
  const began = performance.now();
  let n = 0;
  for (const mail of source) {
    await sleep(Math.max(0, began + (n / mailCount) * ms - performance.now()));
    yield mail;
    n += 1;
  }
}

/** Many senders, most mails a thread of their own. */
function* mails(): Generator<MailToSend> {
  const openers: MailToSend[] = [];
  for (let n = 1; n <= mailCount; n += 1) {
    const mail: MailToSend = {
      from: `p${n}@example.com`,
      to: 'assistant@localhost',
      subject: `Mail ${n}`,
      text: `${markerOf(n)} What about it?\n`,
      messageId: messageIdOf(n),
    };
    const earlier = n % followUpEvery === 0 ? openers[Math.floor(random() * openers.length)] : undefined;
    const inReplyTo = earlier?.messageId;
    if (earlier && inReplyTo)
      yield { ...mail, from: earlier.from, subject: `Re: ${earlier.subject}`, inReplyTo, references: [inReplyTo] };
    else {
      openers.push(mail);
      yield mail;
    }
  }
}

function markerOf(n: number): string {
  return `This is mail number ${n}.`;
}

function messageIdOf(n: number): string {
  return `<crash-${n}-${values.seed}@client.localhost>`;
}

async function judge(run: MeasuredRun, url: string, sent: SendManyResult, folder: string): Promise<void> {
  const ids = Array.from({ length: mailCount }, (_, n) => messageIdOf(n + 1));
  const stored = await readStoredMails(url, ids);
  run.goal('mails answered 250', sent.accepted.length, String(mailCount), sent.accepted.length === mailCount);
  for (const other of sent.others.slice(0, 5))
    run.say(`  not taken: ${other.mail.subject}: ${other.code} ${other.text}`);
  const again = sent.accepted.filter((outcome) => outcome.attempts.length > 1).length;
  run.say(`  ${again} of them were sent more than once, because the first time nobody or a 4xx answered`);

  const acceptedIds = new Set(sent.accepted.map((outcome) => outcome.mail.messageId));
  const accepted = stored
    .map((mail, n) => ({ ...mail, marker: markerOf(n + 1) }))
    .filter((mail) => acceptedIds.has(mail.messageId));
  judgeAnswers(run, accepted, readMailFolder(folder));
}
