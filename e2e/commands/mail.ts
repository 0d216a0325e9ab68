import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { newMessageId } from '../clients/send-mail.ts';
import { hasSwaks, runSwaks, SWAKS_INSTALL } from '../clients/swaks.ts';
import { type House, openHouse } from '../house.ts';
import { type MeasuredRun, measuredRun, until } from '../measured-run.ts';
import type { SunkMail } from '../stand-ins/sunk-mail.ts';

const { values } = parseArgs({
  options: { down: { type: 'string', default: '120' }, json: { type: 'boolean', default: false } },
});
const downSeconds = Number(values.down);
/** How long an answer may take. */
const soon = 20_000;

/** A mail for swaks; headers by name. */
type SwaksMail = { from: string; to?: string; subject: string; body: string; headers?: Record<string, string> };
type Sent = { code: string; messageId: string; command: string };

await measuredRun({ title: 'An agent by mail, with swaks', limitMinutes: 6 + downSeconds / 20 }, async (run) => {
  if (!(await hasSwaks())) throw new Error(`swaks is not installed; run: ${SWAKS_INSTALL}`);
  const house = await openHouse();
  run.defer(() => house[Symbol.asyncDispose]());
  const core = await house.start();
  run.say(`the core takes mail on 127.0.0.1:${core.smtpPort} and sends it to a sink at ${house.sink.url}`);

  await answerAndThread(run, house);
  await sameMailTwice(run, house);
  await automaticMail(run, house);
  await strangers(run, house);
  await unknownRecipient(run, house);
  await sinkAway(run, house);
  const end = await core.stop();
  run.goal('end of the core on SIGTERM', `code ${end.code}`, 'code 0', end.code === 0);
});

async function answerAndThread(run: MeasuredRun, house: House): Promise<void> {
  const asked = await swaks(house, {
    from: 'ada@example.com',
    subject: 'Opening hours',
    body: 'When does the library open?',
  });
  run.say(asked.command);
  const answer = await replyTo(house, asked);
  run.goal('one mail, one reply', count(house, asked), '1', count(house, asked) === 1);
  header(run, 'Subject', answer.subject, 'Re: Opening hours');
  header(run, 'From', answer.from, 'assistant@localhost');
  header(run, 'To', answer.to.join(', '), 'ada@example.com');
  header(run, 'In-Reply-To', answer.inReplyTo ?? '', asked.messageId);
  header(run, 'References', answer.references.join(' '), asked.messageId);
  header(run, 'Auto-Submitted', answer.autoSubmitted ?? '', 'auto-replied');
  run.goal(
    'anything else wrong with it',
    answer.problems.join('; ') || 'nothing',
    'nothing',
    answer.problems.length === 0,
  );

  const again = await swaks(house, {
    from: 'ada@example.com',
    subject: 'Re: Opening hours',
    body: 'And on Sundays?',
    headers: { 'In-Reply-To': answer.messageId ?? '', References: `${asked.messageId} ${answer.messageId}` },
  });
  const second = await replyTo(house, again);
  const wanted = [asked.messageId, answer.messageId, again.messageId];
  const all = second.references.join() === wanted.join();
  run.goal('References of the reply to a reply', `${second.references.length} ids`, '3: mail, reply, mail', all);
  const threads = await house.query('select distinct thread from event where message_id = any($1)', [
    [asked.messageId, again.messageId],
  ]);
  run.goal('threads of the two mails', threads.length, '1', threads.length === 1);
}

async function sameMailTwice(run: MeasuredRun, house: House): Promise<void> {
  const mail = {
    from: 'ben@example.com',
    subject: 'The key',
    body: 'Who has the key?',
    headers: { 'Message-Id': newMessageId() },
  };
  const first = await swaks(house, mail);
  const second = await swaks(house, mail);
  await replyTo(house, first);
  await everybodyHadTime(house);
  run.goal(
    'the same mail twice: answers of SMTP',
    `${first.code} and ${second.code}`,
    '250 and 250',
    first.code === '250' && second.code === '250',
  );
  const events = await house.query('select 1 from event where message_id = $1', [first.messageId]);
  run.goal('the same mail twice: Events', events.length, '1', events.length === 1);
  run.goal('the same mail twice: replies', count(house, first), '1', count(house, first) === 1);
}

async function automaticMail(run: MeasuredRun, house: House): Promise<void> {
  const sent = await swaks(house, {
    from: 'robot@example.com',
    subject: 'Out of office',
    body: 'I am on holiday.',
    headers: { 'Auto-Submitted': 'auto-replied' },
  });
  await everybodyHadTime(house);
  run.goal('an auto-reply: answer of SMTP', sent.code, '250', sent.code === '250');
  run.goal('an auto-reply: replies', count(house, sent), '0', count(house, sent) === 0);
}

async function strangers(run: MeasuredRun, house: House): Promise<void> {
  const secret = 'The zanzibar shipment of quokkas has the number 4711-ALPHA, and captain Brumby sails on Thursday.';
  const markers = ['4711', 'alpha', 'captain', 'brumby', 'sails', 'thursday'];
  const first = await swaks(house, { from: 'carol@example.com', subject: 'Zanzibar', body: secret });
  await replyTo(house, first);
  const asked = await swaks(house, {
    from: 'mallory@example.net',
    subject: 'A question',
    body: 'What do you know about the zanzibar shipment of quokkas?',
  });
  const answer = await replyTo(house, asked);
  const told = markers.filter((marker) => `${answer.subject}\n${answer.text}`.toLowerCase().includes(marker));
  run.goal('a second stranger is told of the first one', told.join(', ') || 'nothing', 'nothing', told.length === 0);
  const own = await swaks(house, { from: 'carol@example.com', subject: 'Mine', body: 'Where are my quokkas?' });
  const knows = (await replyTo(house, own)).text.includes('4711-ALPHA');
  run.goal('the first one is told of it', knows ? 'yes' : 'no', 'yes', knows);
}

async function unknownRecipient(run: MeasuredRun, house: House): Promise<void> {
  const sent = await swaks(house, {
    from: 'ada@example.com',
    to: 'nobody@localhost',
    subject: 'Hello',
    body: 'Hello?',
  });
  run.goal('an unknown recipient: answer of SMTP', sent.code, '550', sent.code === '550');
}

/** The server that answers go out by refuses every connection for a while. A wait doubles, up to five minutes. */
async function sinkAway(run: MeasuredRun, house: House): Promise<void> {
  await house.sink.pause();
  const sent: Sent[] = [];
  for (let n = 1; n <= 10; n += 1)
    sent.push(await swaks(house, { from: `away${n}@example.com`, subject: `Away ${n}`, body: `This is number ${n}.` }));
  run.say(`the server for answers is away for ${downSeconds} s, while ${sent.length} mails have come`);
  await sleep(downSeconds * 1000, undefined, { signal: run.signal });
  await house.sink.resume();
  const back = performance.now();
  await until(() => sent.every((each) => count(house, each) > 0), downSeconds * 1500 + 30_000);
  run.say(`it is back: the last answer came after ${((performance.now() - back) / 1000).toFixed(0)} s`);
  await everybodyHadTime(house);
  const once = sent.filter((each) => count(house, each) === 1).length;
  run.goal('mails answered once after that', once, String(sent.length), once === sent.length);
  const dead = await house.query(`select 1 from delivery where state = 'dead'`);
  run.goal('Deliveries given up', dead.length, '0', dead.length === 0);
}

async function swaks(house: House, mail: SwaksMail): Promise<Sent> {
  const messageId = mail.headers?.['Message-Id'] ?? newMessageId();
  const server = `127.0.0.1:${house.core().smtpPort}`;
  const args = ['--server', server, '--to', mail.to ?? 'assistant@localhost', '--from', mail.from];
  const headers = { ...mail.headers, 'Message-Id': messageId, Subject: mail.subject };
  for (const [name, value] of Object.entries(headers)) args.push('--header', `${name}: ${value}`);
  const { output } = await runSwaks([...args, '--body', mail.body]);
  // The last answer of the server before it says goodbye: to the mail, or what refused it.
  const codes = [...output.matchAll(/^<(?:-|\*\*) +(\d{3}) /gm)].map(([, code = '']) => code);
  return {
    code: codes.findLast((code) => code !== '221') ?? 'none',
    messageId,
    command: `swaks ${args.map(quoted).join(' ')} …`,
  };
}

/** As a shell takes it. */
function quoted(argument: string): string {
  return /[\s<>]/.test(argument) ? `'${argument}'` : argument;
}

function replyTo(house: House, sent: Sent): Promise<SunkMail> {
  return house.sink.waitFor((mail) => mail.inReplyTo === sent.messageId, soon);
}

function count(house: House, sent: Sent): number {
  return house.sink.messages().filter((mail) => mail.inReplyTo === sent.messageId).length;
}

/** When the answer to a later mail is there, an answer to an earlier one would have been there too. */
async function everybodyHadTime(house: House): Promise<void> {
  await replyTo(house, await swaks(house, { from: 'clock@example.com', subject: 'Time', body: 'What time is it?' }));
  await sleep(500);
}

function header(run: MeasuredRun, name: string, found: string, wanted: string): void {
  run.goal(name, found, wanted, found === wanted);
}
