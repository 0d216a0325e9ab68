import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readMetrics } from '../clients/core-metrics.ts';
import { connectMail } from '../clients/send-mail.ts';
import { switchboardValue } from '../clients/switchboard-command.ts';
import { type TerminalClient, terminalClient } from '../clients/terminal-http.ts';
import { connectWorker, type WorkerMcp } from '../clients/worker-mcp.ts';
import { embeddedUrl } from '../database.ts';
import { modelSettings } from '../house.ts';
import { judgeAnswers } from '../judge-answers.ts';
import { type MeasuredRun, measuredRun, until } from '../measured-run.ts';
import { findDatabaseProcesses } from '../process-tree.ts';
import { type Core, makeDataDirectory, startCore } from '../processes.ts';
import { type MailSink, startMailSink } from '../stand-ins/mail-sink.ts';
import { lastMessage } from '../stand-ins/model-scripts.ts';
import { startModelServer } from '../stand-ins/model-server.ts';
import { countOpenWork, readStoredMails } from '../stored-mail.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } },
});
const minutes = Number(values.minutes);
const sampleMs = 10_000;
/** Flat is what the issue asks for; these are the limits that we read into the word. */
const flat = { rssGrowth: 0.1, fileDescriptors: 5 };

/** What the traffic did so far. `mails`: those answered 250, by Message-ID, with words that the echo of each has. */
type Counts = { mails: Map<string, string>; terminal: number; calls: number; polls: number; failures: number };
/** `heap`: what V8 counts as used, garbage included; it says where RSS comes from. */
type Sample = { seconds: number; rss: number; heap: number; fds: number };

await measuredRun({ title: `${minutes} minutes of mixed traffic`, limitMinutes: minutes + 5 }, async (run) => {
  const dataDirectory = await makeDataDirectory();
  run.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  const sink = await startMailSink();
  run.defer(() => sink.close());
  const model = await startModelServer({
    script: (request) => ({ text: `echo: ${lastMessage(request)}`, chunks: 10, chunkMs: 20 }),
    remember: 10,
  });
  run.defer(() => model.close());
  const env = { ...modelSettings(model), SMTP_URL: sink.url, MAIL_TRUSTED_RELAYS: '127.0.0.1' };
  const core = await startCore({ dataDirectory, env });
  run.defer(() => core.killEverything());
  await core.waitReady();

  const counts: Counts = { mails: new Map(), terminal: 0, calls: 0, polls: 0, failures: 0 };
  const samples = await trafficAndSamples(run, core, sink, counts);
  judgeFlatness(run, samples);
  const url = await embeddedUrl(dataDirectory);
  const open = async () => Object.values(await countOpenWork(url)).reduce((sum, count) => sum + count, 0);
  await until(async () => (await open()) === 0, 60_000);
  run.goal('work left open', await open(), '0', (await open()) === 0);
  const stored = await readStoredMails(url, [...counts.mails.keys()]);
  const accepted = stored.map((mail) => ({ ...mail, marker: counts.mails.get(mail.messageId) ?? '' }));
  judgeAnswers(run, accepted, sink.messages());
  run.goal('requests that failed', counts.failures, '0', counts.failures === 0);
  const end = await core.stop();
  run.goal('end of the core on SIGTERM', `code ${end.code}`, 'code 0', end.code === 0);
  const left = findDatabaseProcesses(dataDirectory).length;
  run.goal('processes of its database left', left, '0', left === 0);
});

async function trafficAndSamples(run: MeasuredRun, core: Core, sink: MailSink, counts: Counts): Promise<Sample[]> {
  const over = AbortSignal.any([run.signal, AbortSignal.timeout(minutes * 60_000)]);
  const token = await switchboardValue(['token', 'w-owner'], { dataDirectory: core.dataDirectory });
  const owner = await connectWorker(core.url, 'w-owner', token);
  run.defer(() => owner.close());
  const terminal = terminalClient(core.url, token);
  const loops = [
    mailLoop('one', core, counts, over),
    mailLoop('two', core, counts, over),
    terminalLoop(terminal, counts, over),
    callLoop(owner, counts, over),
    ...[1, 2, 3].map(() => pollLoop(core, token, counts, over)),
  ];

  const samples: Sample[] = [];
  const began = performance.now();
  run.say('seconds    RSS MiB   heap MiB   file descriptors   mails  terminal   calls   polls  answers by mail');
  while (!over.aborted) {
    await sleep(sampleMs, undefined, { signal: over }).catch(() => {});
    const heap = (await readMetrics(core.url)).sum('nodejs_heap_size_used_bytes');
    const sample = { seconds: (performance.now() - began) / 1000, rss: core.rss(), heap, fds: core.fileDescriptors() };
    samples.push(sample);
    const columns = [counts.mails.size, counts.terminal, counts.calls, counts.polls, sink.messages().length];
    run.say(
      `${sample.seconds.toFixed(0).padStart(7)} ${mebibytes(sample.rss).padStart(10)} ${mebibytes(sample.heap).padStart(10)} ${String(sample.fds).padStart(18)}` +
        columns.map((column) => String(column).padStart(8)).join(' '),
    );
  }
  run.signal.throwIfAborted();
  await Promise.all(loops);
  return samples;
}

/** About four mails a second each: half new threads, half an answer to the mail before. */
async function mailLoop(name: string, core: Core, counts: Counts, over: AbortSignal): Promise<void> {
  const connection = connectMail(core.smtpPort);
  let earlier: string | undefined;
  for (let n = 0; !over.aborted; n += 1) {
    const from = `p${n % 200}@example.com`;
    const follows =
      n % 2 === 1 && earlier
        ? { inReplyTo: earlier, references: [earlier], from: `p${(n - 1) % 200}@example.com` }
        : {};
    const text = `Number ${n} of loop ${name}.`;
    const mail = { from, to: 'assistant@localhost', subject: `Mail ${n}`, text: `${text}\n`, ...follows };
    const sent = await connection.send(mail).catch(() => undefined);
    if (sent?.code === 250) counts.mails.set(sent.messageId, text);
    else counts.failures += 1;
    earlier = sent?.messageId;
    await pause(250, over);
  }
  connection.close();
}

/** A message in the terminal, its stream of drafts read to the reply, then the next one; a new thread every tenth time. */
async function terminalLoop(terminal: TerminalClient, counts: Counts, over: AbortSignal): Promise<void> {
  let thread: string | undefined;
  for (let n = 0; !over.aborted; n += 1) {
    try {
      thread = await terminal.ask({
        id: randomUUID(),
        body: `This is number ${n}.`,
        thread: n % 10 === 0 ? undefined : thread,
      });
      counts.terminal += 1;
    } catch {
      counts.failures += 1;
    }
    await pause(200, over);
  }
}

/** A few calls of tools that look and one that writes, each a request of its own. */
async function callLoop(owner: WorkerMcp, counts: Counts, over: AbortSignal): Promise<void> {
  for (let n = 0; !over.aborted; n += 1) {
    try {
      await owner.client.listTools();
      await owner.value('list_workers');
      await owner.value('read_events', { stream: 's-general', limit: 20 });
      if (n % 5 === 0) await owner.value('dm', { worker: 'w-assistant', body: `Number ${n}.` });
      counts.calls += n % 5 === 0 ? 4 : 3;
    } catch {
      counts.failures += 1;
    }
    await pause(300, over);
  }
}

/** Waits for what is said next in the terminal's stream, up to 20 s at a time, as an outside agent does. */
async function pollLoop(core: Core, token: string, counts: Counts, over: AbortSignal): Promise<void> {
  await using owner = await connectWorker(core.url, 'w-owner', token);
  const Page = z.object({ cursor: z.string() });
  let { cursor } = Page.parse(await owner.value('read_events', { stream: 's-general', limit: 1 }));
  while (!over.aborted) {
    try {
      ({ cursor } = Page.parse(await owner.value('read_events', { stream: 's-general', since: cursor, wait: 20 })));
      counts.polls += 1;
    } catch {
      counts.failures += 1;
      await pause(500, over);
    }
  }
}

/** The mean of the second minute, so after a warm-up of one, against the mean of the last minute. */
function judgeFlatness(run: MeasuredRun, samples: Sample[]): void {
  const end = samples.at(-1)?.seconds ?? 0;
  const begin = 60;
  const window = 60;
  const mean = (from: number, to: number, of: (sample: Sample) => number) => {
    const chosen = samples.filter((sample) => sample.seconds > from && sample.seconds <= to);
    return chosen.reduce((sum, sample) => sum + of(sample), 0) / chosen.length;
  };
  const both = (of: (sample: Sample) => number) =>
    [mean(begin, begin + window, of), mean(end - window, end, of)] as const;
  const [rssThen, rssNow] = both((sample) => sample.rss);
  const [fdsThen, fdsNow] = both((sample) => sample.fds);
  const growth = rssNow / rssThen - 1;
  const seconds = (from: number) => `${from.toFixed(0)} to ${(from + window).toFixed(0)}`;
  run.say(
    `compared: the mean of seconds ${seconds(begin)}, after the warm-up, with that of seconds ${seconds(end - window)}`,
  );
  run.goal(
    'RSS',
    `${mebibytes(rssThen)} then ${mebibytes(rssNow)} MiB (${(growth * 100).toFixed(1)} %)`,
    `flat: less than ${flat.rssGrowth * 100} % more`,
    growth < flat.rssGrowth,
  );
  run.goal(
    'file descriptors',
    `${fdsThen.toFixed(1)} then ${fdsNow.toFixed(1)}`,
    `flat: within ${flat.fileDescriptors}`,
    Math.abs(fdsNow - fdsThen) <= flat.fileDescriptors,
  );
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

async function pause(ms: number, over: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: over }).catch(() => {});
}
