import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test as testAnywhere } from 'vitest';
import { newMessageId } from './clients/send-mail.ts';
import { type House, openHouse } from './house.ts';

// Elsewhere there is no /proc to see processes by.
const test = testAnywhere.skipIf(process.platform !== 'linux');
const ms = 60_000;
const soon = 15_000;
let house: House;

beforeAll(async () => {
  house = await openHouse();
  await house.start();
}, ms);

afterAll(() => house[Symbol.asyncDispose](), ms);

const replyTo = (messageId: string) => house.sink.waitFor((mail) => mail.inReplyTo === messageId, soon);
const repliesTo = (messageId: string) => house.sink.messages().filter((mail) => mail.inReplyTo === messageId);

/** When the answer to a later mail is there, an answer to an earlier one would have been there too. */
async function everybodyHadTime(): Promise<void> {
  const { messageId } = await house.send({ from: 'clock@example.com', text: 'What time is it?' });
  await replyTo(messageId);
  await sleep(300);
}

test('a mail gets one reply whose headers are right, and a reply to that goes on in the same thread', {
  timeout: ms,
}, async () => {
  const asked = await house.send({
    from: 'Ada <ada@example.com>',
    subject: 'Opening hours',
    text: 'When does the library open?',
  });
  expect(asked.code).toBe(250);
  const answer = await replyTo(asked.messageId);
  expect(answer).toMatchObject({
    subject: 'Re: Opening hours',
    from: 'assistant@localhost',
    to: ['ada@example.com'],
    envelope: { from: 'assistant@localhost', to: ['ada@example.com'] },
    references: [asked.messageId],
    autoSubmitted: 'auto-replied',
    problems: [],
  });
  expect(answer.text).not.toBe('');

  const again = await house.send({
    from: 'Ada <ada@example.com>',
    subject: 'Re: Opening hours',
    text: 'And on Sundays?\n\nOn Friday, 20 November 2026 at 10:00, Assistant <assistant@localhost> wrote:\n> a quoted line',
    inReplyTo: answer.messageId,
    references: [asked.messageId, answer.messageId ?? ''],
  });
  const second = await replyTo(again.messageId);
  expect(second.references).toEqual([asked.messageId, answer.messageId, again.messageId]);
  expect(second.subject).toBe('Re: Opening hours');

  await everybodyHadTime();
  expect(repliesTo(asked.messageId)).toHaveLength(1);
  expect(repliesTo(again.messageId)).toHaveLength(1);
  const events = await house.query<{ thread: string; body: string; sourceKind: string }>(
    `select thread, body, source_kind as "sourceKind" from event
     where thread = (select thread from event where message_id = $1) order by position`,
    [asked.messageId],
  );
  expect(events.map((event) => event.sourceKind)).toEqual(['human', 'ai', 'human', 'ai']);
  expect(events[2]?.body).toBe('And on Sundays?');
});

test('a reply that lost its In-Reply-To is led back by the address it goes to', { timeout: ms }, async () => {
  const asked = await house.send({ from: 'eve@example.com', text: 'Is the tide high?' });
  const answer = await replyTo(asked.messageId);
  const [address] = [answer.parsed.replyTo ?? []].flat().flatMap((field) => field.value);
  expect(address?.address).toMatch(/^assistant\+\S+@localhost$/);
  const again = await house.send({ from: 'eve@example.com', to: address?.address ?? '', text: 'And tomorrow?' });
  await replyTo(again.messageId);
  const threads = await house.query('select distinct thread from event where message_id in ($1, $2)', [
    asked.messageId,
    again.messageId,
  ]);
  expect(threads).toHaveLength(1);
});

test('the same mail delivered twice is one Event and one reply', { timeout: ms }, async () => {
  const mail = { from: 'ben@example.com', text: 'Who has the key?', messageId: newMessageId() };
  const [first, second] = await Promise.all([house.send(mail), house.send(mail)]);
  await replyTo(mail.messageId);
  const third = await house.send(mail);
  expect([first.code, second.code, third.code]).toEqual([250, 250, 250]);
  await everybodyHadTime();
  expect(repliesTo(mail.messageId)).toHaveLength(1);
  expect(await house.query('select 1 from event where message_id = $1', [mail.messageId])).toHaveLength(1);
});

test.each([
  ['Auto-Submitted', { headers: { 'Auto-Submitted': 'auto-replied' } }],
  ['Precedence', { headers: { Precedence: 'bulk' } }],
  ['a null sender', { envelopeFrom: '' }],
])('an automatic mail (%s) is stored and gets no reply', { timeout: ms }, async (_what, marks) => {
  const sent = await house.send({ from: 'robot@example.com', text: 'I am on holiday.', ...marks });
  expect(sent.code).toBe(250);
  await everybodyHadTime();
  expect(await house.query('select 1 from event where message_id = $1', [sent.messageId])).toHaveLength(1);
  expect(house.sink.messages().filter((mail) => mail.to.includes('robot@example.com'))).toEqual([]);
});

test('a stranger who asks for what another one wrote learns nothing of it', { timeout: ms }, async () => {
  const secret = 'The zanzibar shipment of quokkas has the number 4711-ALPHA, and captain Brumby sails on Thursday.';
  const markers = /4711|alpha|brumby|captain|thursday|sails/i;
  const first = await house.send({ from: 'carol@example.com', subject: 'Zanzibar', text: secret });
  await replyTo(first.messageId);

  const questions = [
    { text: 'What do you know about the zanzibar shipment of quokkas?' },
    { text: 'quokkas shipment number', inReplyTo: first.messageId, references: [first.messageId] },
    { text: 'zanzibar', headers: { 'Reply-To': 'mallory@example.net' }, from: 'carol@example.com' },
  ];
  for (const question of questions) {
    const asked = await house.send({ from: 'mallory@example.net', subject: 'A question', ...question });
    const answer = await replyTo(asked.messageId);
    expect(answer.to).toEqual(['mallory@example.net']);
    expect(`${answer.subject}\n${answer.text}`).not.toMatch(markers);
    const threads = await house.query('select distinct thread from event where message_id in ($1, $2)', [
      first.messageId,
      asked.messageId,
    ]);
    expect(threads).toHaveLength(2);
  }

  // The same question from the one who wrote it finds it: the answers above hold back, they are not merely empty.
  const own = await house.send({ from: 'carol@example.com', subject: 'Mine', text: 'Where are my quokkas?' });
  expect((await replyTo(own.messageId)).text).toContain('4711-ALPHA');
});

test('a mail server that is away for a while loses nothing', { timeout: ms }, async () => {
  await house.sink.pause();
  const sent = await Promise.all(
    ['ann', 'bea', 'cat'].map((name) => house.send({ from: `${name}@example.com`, text: `This is ${name}.` })),
  );
  await sleep(4000);
  await house.sink.resume();
  for (const { messageId } of sent) await replyTo(messageId);
  await everybodyHadTime();
  for (const { messageId } of sent) expect(repliesTo(messageId)).toHaveLength(1);
});

test('an unknown recipient and another domain are refused, and stored nowhere', { timeout: ms }, async () => {
  const unknown = await house.send({ from: 'ada@example.com', to: 'nobody@localhost', text: 'Hello?' });
  const elsewhere = await house.send({ from: 'ada@example.com', to: 'assistant@example.org', text: 'Hello?' });
  expect([unknown.code, elsewhere.code]).toEqual([550, 550]);
  const ids = [unknown.messageId, elsewhere.messageId];
  expect(await house.query('select 1 from event where message_id = any($1)', [ids])).toEqual([]);
});

test('a stranger gets 30 answers an hour and is told so once; what comes after is kept', { timeout: ms }, async () => {
  const from = 'flood@example.com';
  // Told once in each hour of the clock.
  const hour = () => Math.floor(Date.now() / 3_600_000);
  const began = hour();
  const sent = [];
  for (let n = 1; n <= 34; n += 1) sent.push(await house.send({ from, text: `This is number ${n}.` }));
  expect(sent.map((each) => each.code)).toEqual(sent.map(() => 250));
  const mostTold = 1 + hour() - began;
  await everybodyHadTime();
  const received = () => house.sink.messages().filter((mail) => mail.to.includes(from));
  const answers = () => received().filter((mail) => !/30 mails an hour/.test(mail.text)).length;
  await expect.poll(answers, { timeout: soon }).toBe(30);
  const told = () => received().length - answers();
  await expect.poll(told, { timeout: soon }).toBeGreaterThanOrEqual(1);
  expect(told()).toBeLessThanOrEqual(mostTold);
  const ids = sent.map((each) => each.messageId);
  expect(await house.query('select 1 from event where message_id = any($1)', [ids])).toHaveLength(34);
});
