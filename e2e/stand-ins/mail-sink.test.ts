import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { sendMail } from '../clients/send-mail.ts';
import { readMailFolder } from './mail-folder.ts';
import { type MailSink, type MailSinkOptions, startMailSink } from './mail-sink.ts';
import { readMail } from './sunk-mail.ts';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function sinkWith(options: MailSinkOptions = {}): Promise<MailSink> {
  const sink = await startMailSink(options);
  cleanups.push(() => sink.close());
  return sink;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-sink-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  return folder;
}

const question = { from: 'Ann <ann@example.com>', to: 'assistant@localhost', subject: 'Grüße', text: '.dots\n\nand ü' };
const reply = {
  ...question,
  messageId: '<reply@x.localhost>',
  inReplyTo: '<two@example.com>',
  references: ['<one@example.com>', '<two@example.com>'],
  headers: { 'Auto-Submitted': 'auto-replied' },
};

it('keeps each mail as it came and parsed', async () => {
  const sink = await sinkWith();
  const answer = await sendMail({ port: sink.port, ...reply });
  expect(answer).toMatchObject({ code: 250, messageId: '<reply@x.localhost>' });
  const mail = await sink.waitFor((each) => each.messageId === '<reply@x.localhost>', 10_000);
  expect(mail).toMatchObject({
    envelope: { from: 'ann@example.com', to: ['assistant@localhost'] },
    from: 'ann@example.com',
    to: ['assistant@localhost'],
    subject: 'Grüße',
    text: '.dots\n\nand ü',
    inReplyTo: '<two@example.com>',
    references: ['<one@example.com>', '<two@example.com>'],
    autoSubmitted: 'auto-replied',
    problems: [],
  });
  expect(mail.raw.toString('latin1')).toContain('Message-ID: <reply@x.localhost>\r\n');
});

it('takes the null sender', async () => {
  const sink = await sinkWith();
  await sendMail({ port: sink.port, ...question, envelopeFrom: '' });
  expect(sink.messages()[0]?.envelope.from).toBe('');
});

it('waits for a mail that is still to come, and says what came instead when it does not', async () => {
  const sink = await sinkWith();
  const second = sink.waitFor((_mail, all) => all.length === 2, 10_000);
  await sendMail({ port: sink.port, ...question, subject: 'one' });
  await sendMail({ port: sink.port, ...question, subject: 'two' });
  expect((await second).subject).toBe('one');
  await expect(sink.waitFor((mail) => mail.subject === 'three', 20)).rejects.toThrow('2 came, the last: "one" to');
});

it.each([
  [451, 'data'],
  [550, 'rcpt'],
  [452, 'mail'],
  [421, 'data'],
] as const)('refuses with %i at %s as often as told, then accepts', async (code, stage) => {
  const sink = await sinkWith();
  sink.rejectNext(2, code, stage);
  const codes: number[] = [];
  for (let n = 0; n < 3; n += 1) codes.push((await sendMail({ port: sink.port, ...question })).code);
  expect(codes).toEqual([code, code, 250]);
  expect(sink.messages()).toHaveLength(1);
  expect(sink.refusals()).toBe(2);
});

it('closes and opens again on the same port with the mails it has', async () => {
  const sink = await sinkWith();
  await sendMail({ port: sink.port, ...question });
  await sink.pause();
  await expect(sendMail({ port: sink.port, ...question })).rejects.toThrow('ECONNREFUSED');
  await sink.resume();
  expect((await sendMail({ port: sink.port, ...question })).code).toBe(250);
  expect(sink.messages()).toHaveLength(2);
});

it('answers slowly when told', async () => {
  const sink = await sinkWith({ delayMs: 300 });
  const began = performance.now();
  await sendMail({ port: sink.port, ...question });
  expect(performance.now() - began).toBeGreaterThan(290);
});

it('fails to start on a port in use', async () => {
  const sink = await sinkWith();
  await expect(startMailSink({ port: sink.port })).rejects.toThrow('EADDRINUSE');
});

it('answers 451 when the mail cannot be kept', async () => {
  const sink = await sinkWith({
    onMail: () => {
      throw new Error('the disk is full');
    },
  });
  expect(await sendMail({ port: sink.port, ...question })).toMatchObject({ code: 451, text: '451 the disk is full' });
  expect(sink.messages()).toEqual([]);
});

it('notes what is wrong with a mail, and refuses it when strict', async () => {
  const lax = await sinkWith();
  const careless = { ...question, inReplyTo: '<two@example.com>' };
  expect((await sendMail({ port: lax.port, ...careless })).code).toBe(250);
  const problems = ['no Auto-Submitted header', 'References do not contain In-Reply-To <two@example.com>'];
  expect(lax.messages()[0]?.problems).toEqual(problems);
  const strict = await sinkWith({ strict: true });
  const refusal = await sendMail({ port: strict.port, ...careless });
  expect(refusal).toMatchObject({ code: 554, text: expect.stringContaining('no Auto-Submitted header') });
});

const proper = [
  'From: a@x.org',
  'Date: Fri, 21 Nov 2025 10:00:00 +0000',
  'Message-ID: <1@x.org>',
  'Auto-Submitted: no',
];

it.each([
  ['nothing about a proper mail', [], []],
  ['a second Message-ID', ['Message-Id: <2@x.org>'], ['2 Message-ID headers instead of one']],
  ['a second From', ['from: b@x.org'], ['2 From headers instead of one']],
  ['a long line', [`X-Long: ${'x'.repeat(1000)}`], ['a line of 1008 octets, more than 998']],
  ['a bare line feed', ['X-A: a\nX-B: b'], ['a CR or LF by itself']],
])('notes %s', async (_what, headers, problems) => {
  const raw = Buffer.from(`${[...proper, ...headers].join('\r\n')}\r\n\r\nhello\r\n`);
  expect((await readMail(raw, { from: '', to: [] })).problems).toEqual(problems);
});

it('notes what is missing', async () => {
  const mail = await readMail(Buffer.from('Subject: x\r\n\r\nhello\r\n'), { from: '', to: [] });
  expect(mail.problems).toEqual([
    '0 From headers instead of one',
    '0 Date headers instead of one',
    '0 Message-ID headers instead of one',
    'no Auto-Submitted header',
  ]);
});

it('as a program has written each mail and its line before it answers, and goes on numbering after a kill', async () => {
  const folder = await temporaryFolder();
  for (const round of [1, 2]) {
    const program = spawn(process.execPath, [join(import.meta.dirname, 'mail-sink.ts'), '--folder', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(async () => program.kill('SIGKILL'));
    const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
    const port = Number(line.match(/^listening smtp:\/\/127\.0\.0\.1:(\d+)$/)?.[1]);
    const answer = await sendMail({ port, ...reply, messageId: `<round-${round}@x.localhost>` });
    program.kill('SIGKILL');
    expect(answer.code).toBe(250);
    await once(program, 'exit');
  }
  const mails = readMailFolder(folder);
  expect(mails.map((mail) => mail.file)).toEqual(['001.eml', '002.eml']);
  expect(mails[1]).toMatchObject({
    messageId: '<round-2@x.localhost>',
    inReplyTo: '<two@example.com>',
    from: 'ann@example.com',
    to: ['assistant@localhost'],
    subject: 'Grüße',
    autoSubmitted: 'auto-replied',
    problems: [],
  });
  expect(await readFile(join(folder, '002.eml'), 'utf8')).toContain('<round-2@x.localhost>');
});

it('as a program ends on SIGTERM with code 0, and with a sentence and code 1 when it cannot start', async () => {
  const program = join(import.meta.dirname, 'mail-sink.ts');
  const folder = await temporaryFolder();
  const running = spawn(process.execPath, [program, '--folder', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(running.stdout, 'data');
  running.kill('SIGTERM');
  expect(await once(running, 'exit')).toEqual([0, null]);
  const failing = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: Buffer[] = [];
  failing.stderr.on('data', (part: Buffer) => said.push(part));
  expect(await once(failing, 'close')).toEqual([1, null]);
  expect(Buffer.concat(said).toString()).toBe('say where to put the mails: --folder <path>\n');
});
