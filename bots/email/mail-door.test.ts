import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startOutbox } from '../../core/delivery/outbox.ts';
import { startDispatcher } from '../../core/dispatch/dispatcher.ts';
import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import type { Runtime } from '../../core/runtimes/runtime.ts';
import type { ThreadId } from '../../core/store/ids.ts';
import { append } from '../../core/streams/append.ts';
import { type MailToSend, sendMail } from '../../e2e/clients/send-mail.ts';
import { type MailSink, startMailSink } from '../../e2e/stand-ins/mail-sink.ts';
import { MailDoor } from './mail-door.ts';
import { type MailHouse, openMailHouse, organisation } from './testing/mail-house.ts';

let sink: MailSink;
let house: MailHouse;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  sink = await startMailSink({ strict: true });
  cleanups.push(() => sink.close());
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Says again what it was told, and how many messages it was told it with. */
const echo: Runtime = {
  name: 'echo',
  run: async ({ briefing }) => ({
    text: `${briefing.batch.length}: ${briefing.batch.map((event) => event.body).join(' + ')}`,
  }),
};

async function open(
  options: { smtpUrl?: string | undefined; runtime?: Runtime; trusted?: boolean } = {},
): Promise<MailHouse> {
  const smtpUrl = 'smtpUrl' in options ? options.smtpUrl : sink.url;
  const door = new MailDoor({ MAIL_DOMAIN: 'localhost', SMTP_URL: smtpUrl });
  house = await openMailHouse({ runtime: options.runtime ?? echo, doors: [door], trusted: options.trusted ?? false });
  door.connect(house.core);
  const tools = { open: () => Promise.reject(new Error('no tools here')), isIdempotent: () => false };
  const dispatcher = startDispatcher(house.core, { slots: 4, tools });
  const outbox = startOutbox(house.core);
  cleanups.push(async () => {
    await dispatcher.stop(0);
    await outbox.stop(0);
    await house.close();
  });
  return house;
}

function send(mail: Partial<MailToSend> = {}) {
  const whole = {
    from: 'Sam <sam@example.com>',
    to: 'assistant@localhost',
    subject: 'Lunch',
    text: 'Thursday?',
    ...mail,
  };
  return sendMail({ port: house.port, ...whole });
}

const arrived = (count: number) => sink.waitFor((_mail, all) => all.length >= count, 10_000);

async function deliveries() {
  return await house.core.database.query<{
    id: string;
    state: string;
    error: string | null;
    externalId: string | null;
  }>('select id, state, error, external_id as "externalId" from delivery order by position');
}

describe('an answer', () => {
  it('goes to the sender alone, from the alias, with the headers of an answer', async () => {
    await open();
    await send({
      messageId: '<1@example.com>',
      references: ['<0@example.com>'],
      to: ['assistant@localhost'],
      headers: { Cc: 'lee@example.com' },
    });
    await arrived(1);
    const [mail, ...others] = sink.messages();
    expect(others).toEqual([]);
    expect(mail).toMatchObject({
      from: 'assistant@localhost',
      to: ['sam@example.com'],
      envelope: { from: 'assistant@localhost', to: ['sam@example.com'] },
      subject: 'Re: Lunch',
      text: '1: Thursday?',
      inReplyTo: '<1@example.com>',
      references: ['<0@example.com>', '<1@example.com>'],
      autoSubmitted: 'auto-replied',
      problems: [],
    });
    expect(mail?.parsed.cc).toBeUndefined();
    expect(mail?.parsed.from?.value).toEqual([{ address: 'assistant@localhost', name: 'assistant' }]);
    expect(mail?.parsed.headers.get('x-auto-response-suppress')).toBe('All');
    const [event] = await house.events();
    expect(mail?.parsed.replyTo?.value[0]?.address).toBe(`assistant+${event?.thread}@localhost`);
    const [delivery] = await eventually(
      async () => (await deliveries()).every((each) => each.state === 'delivered') && deliveries(),
    );
    expect(mail?.messageId).toBe(`<${delivery?.id}@localhost>`);
    expect(delivery?.externalId).toBe(mail?.messageId);
  });

  it('goes to Reply-To instead, when there is one', async () => {
    await open();
    await send({ headers: { 'Reply-To': 'desk@example.com, other@example.com' } });
    expect((await arrived(1)).to).toEqual(['desk@example.com']);
  });

  it('to that answer continues the Thread, and so on', async () => {
    await open();
    await send({ messageId: '<1@example.com>' });
    const first = await arrived(1);
    await send({
      subject: 'AW: Lunch',
      inReplyTo: first.messageId ?? '',
      messageId: '<2@example.com>',
      text: 'Or Friday?',
    });
    const second = await sink.waitFor((mail) => mail.text.includes('Friday'), 10_000);
    expect(second).toMatchObject({ subject: 'AW: Lunch', inReplyTo: '<2@example.com>', problems: [] });
    expect(second.references).toEqual([first.messageId, '<2@example.com>']);
    await send({
      to: second.parsed.replyTo?.value[0]?.address ?? '',
      subject: 'Something',
      text: 'By the token alone',
    });
    await arrived(3);
    expect(new Set((await house.events()).map((event) => event.thread)).size).toBe(1);
  });

  it('to several people who wrote in the meantime goes to each of them and to nobody else', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow: Runtime = {
      name: 'slow',
      run: async (run) => {
        if (run.briefing.batch[0]?.body === 'Thursday?') await held;
        return echo.run(run);
      },
    };
    await open({ runtime: slow });
    await send({ messageId: '<1@example.com>' });
    const thread = await eventually(async () => (await house.events())[0]?.thread);
    await house.core.database.query(
      `with w as (insert into worker (organisation, id, name, kind) values ($1, 'w-lee', 'Lee', 'human')),
            i as (insert into identity (organisation, platform, external_id, worker) values ($1, 'mail-unverified', 'lee@example.com', 'w-lee'))
       insert into participant (organisation, thread, worker) values ($1, $2, 'w-lee')`,
      [organisation, thread],
    );
    await send({ inReplyTo: '<1@example.com>', text: 'Friday?', messageId: '<2@example.com>' });
    await send({ from: 'lee@example.com', inReplyTo: '<1@example.com>', text: 'Never.', messageId: '<3@example.com>' });
    release();
    await arrived(2);
    const [first, second] = sink.messages();
    expect(first?.to).toEqual(['sam@example.com']);
    expect(second?.text).toBe('2: Friday? + Never.');
    expect(second?.to.toSorted()).toEqual(['lee@example.com', 'sam@example.com']);
    expect(second?.inReplyTo).toBe('<3@example.com>');
  });

  it('with long lines, other alphabets and a dot arrives as it was written', async () => {
    const text = `${'ü'.repeat(3000)}\n.\nпривет 👋\nFrom here\n`;
    await open({ runtime: { name: 'long', run: async () => ({ text }) } });
    await send({ subject: 'Größe 👋' });
    const mail = await arrived(1);
    expect(mail.text).toBe(text.trim());
    expect(mail.subject).toBe('Re: Größe 👋');
    expect(mail.problems).toEqual([]);
  });

  it('cannot be given headers by a subject or a name', async () => {
    await open();
    await send({
      subject: 'Lunch =?utf-8?Q?=0D=0ABcc:_eve@evil.example?=',
      from: '"x\r\nBcc: eve@evil.example" <sam@example.com>',
    });
    const mail = await arrived(1);
    expect(mail.envelope.to).toEqual(['sam@example.com']);
    expect(mail.parsed.bcc).toBeUndefined();
  });
});

describe('automatic mail', () => {
  it('is never answered, not even by a command of the thread', async () => {
    await open();
    await send({ headers: { 'Auto-Submitted': 'auto-generated' }, text: 'stop' });
    await send({ text: 'real' });
    await arrived(1);
    expect((await deliveries()).length).toBe(1);
    expect(sink.messages()[0]?.text).toBe('1: real');
  });

  it('of our own that comes back is recognised', async () => {
    await open();
    await send();
    const mail = await arrived(1);
    await eventually(async () => (await deliveries()).every((each) => each.state === 'delivered'));
    const before = (await house.events()).length;
    await send({
      from: 'assistant@localhost',
      messageId: mail.messageId ?? '',
      headers: { 'Auto-Submitted': 'auto-replied' },
    });
    expect((await house.events()).length).toBe(before);
  });
});

describe('what an agent says by itself', () => {
  async function publish(message: { body: string; to?: string[]; subject?: string }, thread?: ThreadId) {
    return await append(house.core, {
      organisation,
      stream: 's-mail',
      author: 'w-assistant',
      sourceKind: 'ai',
      message,
      ...(thread ? { thread } : { threadPlace: { binding: 'b-mail', externalId: `new-${Math.random()}` } }),
    });
  }

  it('begins a mail of its own to those it names, whose answers come back to the same Thread', async () => {
    await open();
    const { thread } = await publish({
      body: 'Where is it?',
      to: ['Supplier@example.com', 'w-ada'],
      subject: 'Order 7',
    });
    const mail = await arrived(1);
    expect(mail).toMatchObject({
      to: ['supplier@example.com'],
      subject: 'Order 7',
      autoSubmitted: 'auto-generated',
      inReplyTo: undefined,
    });
    await send({ from: 'supplier@example.com', inReplyTo: mail.messageId ?? '', text: 'On its way.' });
    await send({ from: 'eve@evil.example', inReplyTo: mail.messageId ?? '', text: 'Let me in.' });
    const threads = new Map((await house.events()).map((event) => [event.body, event.thread]));
    expect(threads.get('On its way.')).toBe(thread);
    expect(threads.get('Let me in.')).not.toBe(thread);
  });

  it('follows its own mail when nobody has answered yet', async () => {
    await open();
    const { thread } = await publish({ body: 'Where is it?', to: ['supplier@example.com'], subject: 'Order 7' });
    const first = await arrived(1);
    await eventually(async () => (await deliveries())[0]?.state === 'delivered');
    await publish({ body: 'Still nothing?' }, thread);
    expect(await arrived(2)).toBeDefined();
    const second = sink.messages()[1];
    expect(second).toMatchObject({ to: ['supplier@example.com'], subject: 'Re: Order 7', inReplyTo: first.messageId });
  });

  it('in a Thread goes to the person who wrote last, not to a machine and not to all', async () => {
    await open({ trusted: true, runtime: { name: 'silent', run: async () => ({ text: 'NO_REPLY' }) } });
    await house.core.database.query(
      `insert into identity (organisation, platform, external_id, worker) values ($1, 'mail', 'ada@example.com', 'w-ada')`,
      [organisation],
    );
    await send({ messageId: '<1@example.com>' });
    const thread = (await house.events())[0]?.thread;
    await house.core.database.query(`insert into participant (organisation, thread, worker) values ($1, $2, 'w-ada')`, [
      organisation,
      thread,
    ]);
    await send({ from: 'ada@example.com', inReplyTo: '<1@example.com>' });
    await send({
      inReplyTo: '<1@example.com>',
      headers: { 'Auto-Submitted': 'auto-replied', 'Reply-To': 'robot@example.com' },
    });
    expect(new Set((await house.events()).map((event) => event.thread))).toEqual(new Set([thread]));
    await publish({ body: 'One more thing.' }, thread);
    expect((await arrived(1)).envelope.to).toEqual(['ada@example.com']);
  });

  it('to nobody is given up at once, and why is said', async () => {
    await open();
    await publish({ body: 'Hello?' });
    const [dead] = await eventually(
      async () => (await deliveries()).some((each) => each.state === 'dead') && deliveries(),
    );
    expect(dead?.error).toContain('nobody to send it to');
  });
});

describe('a mail server', () => {
  it('that is away for a while gets the mail later, once', async () => {
    await open();
    await sink.pause();
    await send();
    await eventually(async () => (await deliveries())[0]?.state === 'waiting');
    await sink.resume();
    await arrived(1);
    await eventually(async () => (await deliveries())[0]?.state === 'delivered');
    expect(sink.messages()).toHaveLength(1);
  });

  it('that is busy (4xx) is asked again, in whichever part of the dialogue it said so', async () => {
    await open();
    sink.rejectNext(1, 451, 'rcpt');
    await send({ text: 'one' });
    await arrived(1);
    sink.rejectNext(1, 421, 'mail');
    await send({ text: 'two' });
    await arrived(2);
    sink.rejectNext(1, 452, 'data');
    await send({ text: 'three' });
    await arrived(3);
    expect((await deliveries()).every((each) => each.state !== 'dead')).toBe(true);
  });

  it.each(['rcpt', 'data', 'mail'] as const)(
    'that refuses for good (5xx at %s) is not asked again, and its words are kept',
    async (stage) => {
      await open();
      sink.rejectNext(1, 550, stage);
      await send();
      const [dead] = await eventually(
        async () => (await deliveries()).some((each) => each.state === 'dead') && deliveries(),
      );
      expect(dead?.error).toContain('550 Refused, as this sink was told');
      expect(sink.messages()).toEqual([]);
    },
  );

  it('that wants a login is waited for, and the password is told nobody', async () => {
    await open({ smtpUrl: sink.url.replace('//', '//sam:hunter2@') });
    sink.rejectNext(1, 530, 'mail');
    await send();
    await eventually(async () => (await deliveries())[0]?.error);
    const [waiting] = await deliveries();
    expect(waiting?.error).toContain('login in SMTP_URL');
    expect(JSON.stringify(await deliveries())).not.toContain('hunter2');
  });

  it('that gives mails a Message-ID of its own is answered by that one as well', async () => {
    const given = '<0a1b@x.prod.outlook.com>';
    const server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      onData: (stream, _session, callback) =>
        stream.resume().once('end', () => callback(null, `2.0.0 OK ${given} [Hostname=x.prod.outlook.com]`)),
    });
    server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    cleanups.push(() => new Promise<void>((resolve) => server.close(resolve)));
    await open({ smtpUrl: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}` });
    await send();
    await eventually(async () => (await deliveries())[0]?.state === 'delivered');
    await send({ inReplyTo: given, text: 'Friday?' });
    expect(new Set((await house.events()).map((event) => event.thread)).size).toBe(1);
  });

  it('that is not configured is waited for', async () => {
    await open({ smtpUrl: undefined });
    await send();
    const waiting = await eventually(async () => (await deliveries()).find((each) => each.state === 'waiting'));
    expect(waiting.error).toContain('SMTP_URL is not set');
  });
});

it('a Delivery that is tried again, though it had been sent, is the same mail', async () => {
  await open();
  await send();
  await arrived(1);
  await eventually(async () => (await deliveries())[0]?.state === 'delivered');
  await house.core.database.query(`update delivery set state = 'sending'`);
  await house.core.database.query(`update event set created_at = created_at - interval '1 hour'`);
  await house.core.database.query(`update lane set ready_at = now() where kind = 'delivery'`);
  house.core.waking.announce();
  await arrived(2);
  const [one, two] = sink.messages();
  expect(two?.messageId).toBe(one?.messageId);
  const [, answer] = await house.events();
  expect(two?.parsed.date).toEqual(new Date(Math.floor(Number(answer?.createdAt) / 1000) * 1000));
});

it('a door that is not connected yet keeps what should go out', async () => {
  const door = new MailDoor({ MAIL_DOMAIN: 'localhost', SMTP_URL: sink.url });
  await open();
  await send();
  await arrived(1);
  const [event] = await house.events();
  const delivery = {
    organisation,
    id: 'd-1' as const,
    thread: event?.thread ?? 't-1',
    binding: { id: 'b-mail' as const, kind: 'mail', externalId: 'assistant', config: {} },
    threadPlace: null,
    text: 'x',
    externalId: null,
    createdAt: new Date(),
    repeated: false,
    caption: { speaker: null, help: false },
  };
  await expect(door.deliver({ ...delivery, event: event ?? null })).rejects.toThrow(OutsideUnavailable);
  await expect(door.deliver({ ...delivery, event: null })).rejects.toThrow(PermanentFailure);
});
