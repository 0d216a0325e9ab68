import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findFreePort } from '../../core/store/embedded/free-port.ts';
import type { MailToSend } from '../clients/send-mail.ts';
import { type SendManyResult, sendMany } from '../clients/send-many-mails.ts';
import { crashSlack } from '../crash-slack.ts';
import { embeddedUrl } from '../database.ts';
import { modelSettings } from '../house.ts';
import { judgeAnswers } from '../judge-answers.ts';
import { killRounds, lengthOfRoundsMs } from '../kill-rounds.ts';
import { type MeasuredRun, measuredRun, until } from '../measured-run.ts';
import { findDatabaseProcesses } from '../process-tree.ts';
import { makeDataDirectory, startCore } from '../processes.ts';
import { seededRandom } from '../seeded-random.ts';
import { readMailFolder } from '../stand-ins/mail-folder.ts';
import { lastMessage } from '../stand-ins/model-scripts.ts';
import { startModelServer } from '../stand-ins/model-server.ts';
import { startProgram } from '../stand-ins/start-program.ts';
import { countOpenWork, readStoredMails } from '../stored-mail.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mails: { type: 'string', default: '1000' },
    events: { type: 'string', default: '2000' },
    channels: { type: 'string', default: '100' },
    kills: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
if (positionals.join(' ') === 'slack') {
  const { events, channels, kills = '20' } = values;
  await crashSlack({ events: Number(events), channels: Number(channels), kills: Number(kills), seed });
}
if (positionals.join(' ') !== 'mail') {
  process.stderr.write(
    'usage: npm run e2e:crash -- mail [--mails 1000] [--kills 10] [--seed n] [--json]\n' +
      '       npm run e2e:crash -- slack [--events 2000] [--channels 100] [--kills 20] [--seed n] [--json]\n',
  );
  process.exit(1);
}
const mailCount = Number(values.mails);
const killCount = Number(values.kills ?? '10');
const random = seededRandom(seed);

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
    mails: paced(mails(), lengthOfRoundsMs({ gap, kills: killCount })),
    connections: 6,
    retryForMs: 180_000,
    retryEveryMs: 150,
    onOutcome: (outcome) => {
      if (outcome.code === 250) accepted += 1;
    },
  });

  const { whileBusy } = await killRounds(run, {
    core,
    kills: killCount,
    gap,
    random,
    restart: async () => {
      core = await startCore({ dataDirectory, ...ports, env });
      return core;
    },
    progress: () => `${accepted} mails taken, ${readMailFolder(folder).length} answers`,
  });
  const sent = await sending;
  run.say(
    `all sent; a 250 came after ${sent.latencyMs.p50.toFixed(0)} ms (median), the slowest after ${sent.latencyMs.max.toFixed(0)} ms`,
  );

  const url = await embeddedUrl(dataDirectory);
  const open = async () => Object.values(await countOpenWork(url)).reduce((sum, count) => sum + count, 0);
  await until(async () => (await open()) === 0, 60_000 + mailCount * 500);
  run.goal('work left open', await open(), '0', (await open()) === 0);
  run.goal('SIGKILLs, half of each kind', killCount, String(killCount), true);
  run.goal('of them with work in flight', whileBusy, 'at least a third', whileBusy >= killCount / 3);
  await judge(run, url, sent, folder);

  const end = await core.stop();
  run.goal('end of the last core on SIGTERM', `code ${end.code}`, 'code 0', end.code === 0);
  const left = findDatabaseProcesses(dataDirectory).length;
  run.goal('processes of its database left', left, '0', left === 0);
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
