import { afterEach, describe, expect, it } from 'vitest';
import { connectMail, type MailToSend, sendMail } from '../../e2e/clients/send-mail.ts';
import { withDatabaseAway } from './testing/database-away.ts';
import { type MailHouse, type MailHouseOptions, openMailHouse, organisation, sendRaw } from './testing/mail-house.ts';
import { openDialogue } from './testing/smtp-dialogue.ts';

let house: MailHouse | undefined;

afterEach(async () => {
  await house?.close();
  house = undefined;
});

async function open(options?: MailHouseOptions): Promise<MailHouse> {
  house = await openMailHouse(options);
  return house;
}

function send(port: number, mail: Partial<MailToSend> = {}) {
  const whole = {
    from: 'Sam <sam@example.com>',
    to: 'assistant@localhost',
    subject: 'Lunch',
    text: 'Does Thursday suit you?',
    ...mail,
  };
  return sendMail({ port, ...whole });
}

async function addAlias(to: MailHouse, alias: string, stream: string): Promise<void> {
  const { database } = to.core;
  await database.query(
    `insert into stream (organisation, id, name, kind) values ($1, $2, $2, 'mail') on conflict do nothing`,
    [organisation, stream],
  );
  await database.query(
    `insert into binding (organisation, id, stream, kind, external_id) values ($1, $2, $3, 'mail', $4)`,
    [organisation, `b-${alias}`, stream, alias],
  );
}

describe('a mail to an alias', () => {
  it('is stored with what it says and wakes the Worker behind it', async () => {
    const { port, events, triggers } = await open();
    const answer = await send(port, { messageId: '<1@example.com>' });
    expect(answer.code).toBe(250);
    const [event] = await events();
    expect(event).toMatchObject({
      from: 'sam@example.com',
      to: ['assistant@localhost'],
      subject: 'Lunch',
      body: 'Does Thursday suit you?',
      messageId: '<1@example.com>',
      sourceKind: 'human',
      cameBy: 'b-mail',
      extra: { mail: { replyTo: 'sam@example.com' } },
    });
    expect(await triggers()).toEqual([{ event: event?.id, worker: 'w-assistant' }]);
  });

  it('is stored before it is answered 250', async () => {
    const { port, events } = await open();
    const connection = connectMail(port);
    for (let n = 1; n <= 5; n++) {
      expect(
        (await connection.send({ from: 'sam@example.com', to: 'assistant@localhost', subject: `${n}`, text: 'x' }))
          .code,
      ).toBe(250);
      expect(await events()).toHaveLength(n);
    }
    connection.close();
  });

  it('delivered twice is one Event that wakes once', async () => {
    const { port, events, triggers } = await open();
    for (let time = 0; time < 3; time++) expect((await send(port, { messageId: '<same@example.com>' })).code).toBe(250);
    await Promise.all([1, 2, 3, 4].map(() => send(port, { messageId: '<at-once@example.com>' })));
    expect((await events()).map((event) => event.messageId)).toEqual(['<same@example.com>', '<at-once@example.com>']);
    expect(await triggers()).toHaveLength(2);
  });

  it('without a Message-ID is recognised when it comes again', async () => {
    const { port, events } = await open();
    const raw = 'From: sam@example.com\nTo: assistant@localhost\nSubject: Lunch\n\nThursday?\n';
    for (let time = 0; time < 2; time++) expect((await sendRaw(port, { raw })).code).toBe(250);
    expect((await sendRaw(port, { raw: raw.replace('Thursday', 'Friday') })).code).toBe(250);
    expect((await events()).map((event) => event.body)).toEqual(['Thursday?', 'Friday?']);
  });

  it('may have anything behind a plus, and any case', async () => {
    const { port, events } = await open();
    expect((await send(port, { to: 'ASSISTANT+anything@LocalHost' })).code).toBe(250);
    expect(await events()).toHaveLength(1);
  });

  it('and to another alias in one go is stored once for each', async () => {
    const opened = await open();
    await addAlias(opened, 'sales', 's-sales');
    const to = ['assistant@localhost', 'assistant+x@localhost', 'sales@localhost'];
    expect((await send(opened.port, { to })).code).toBe(250);
    const rows = await opened.core.database.query('select stream, came_by as "cameBy" from event order by stream');
    expect(rows).toEqual([
      { stream: 's-mail', cameBy: 'b-mail' },
      { stream: 's-sales', cameBy: 'b-sales' },
    ]);
  });

  it('is answered 451 as a whole when one alias could not have it, and comes again only to that one', async () => {
    const opened = await open();
    await addAlias(opened, 'sales', 's-sales');
    const dialogue = await openDialogue(opened.port);
    await dialogue.say('EHLO x');
    await dialogue.say('MAIL FROM:<sam@example.com>');
    await dialogue.say('RCPT TO:<assistant@localhost>');
    await dialogue.say('RCPT TO:<sales@localhost>');
    await opened.core.database.query(`update stream set id = 's-moved' where id = 's-sales'`);
    await dialogue.say('DATA');
    const text = 'From: sam@example.com\r\nMessage-ID: <two@example.com>\r\n\r\nHello\r\n.';
    expect(await dialogue.say(text)).toMatch(/^451 /);
    await opened.core.database.query(`update stream set id = 's-sales' where id = 's-moved'`);
    await dialogue.say('MAIL FROM:<sam@example.com>');
    await dialogue.say('RCPT TO:<assistant@localhost>');
    await dialogue.say('RCPT TO:<sales@localhost>');
    await dialogue.say('DATA');
    expect(await dialogue.say(text)).toMatch(/^250 /);
    dialogue.close();
    const rows = await opened.core.database.query<{ stream: string }>('select stream from event order by stream');
    expect(rows.map((row) => row.stream)).toEqual(['s-mail', 's-sales']);
  });

  it('has its quoted history and signature cut off', async () => {
    const { port, events } = await open();
    await send(port, { text: 'Yes.\n\n-- \nSam\n\nOn 5 Jan 2026, Assistant wrote:\n> Does Thursday suit you?\n' });
    expect((await events())[0]).toMatchObject({ body: 'Yes.', extra: { mail: { cut: true } } });
  });

  it('is stored although its bytes are broken', async () => {
    const { port, events } = await open();
    const raw = Buffer.concat([
      Buffer.from(
        'From: sam@example.com\r\nSubject: a\u0000b =?x-nope?B?//?=\r\nContent-Type: text/plain; charset=none-such\r\n\r\nhello ',
      ),
      Buffer.from([0xff, 0x00, 0xfe, 0x0d, 0x0a]),
    ]);
    expect((await sendRaw(port, { raw })).code).toBe(250);
    expect((await events())[0]?.body).toContain('hello');
  });
});

describe('refused is', () => {
  it('an unknown recipient with 550, and another domain too, which is counted', async () => {
    const { port, events, core } = await open();
    expect(await send(port, { to: 'nobody@localhost' })).toMatchObject({ code: 550 });
    expect(await send(port, { to: 'assistant@elsewhere.example' })).toMatchObject({ code: 550 });
    expect(await events()).toEqual([]);
    expect(await core.metrics.page()).toContain('switchboard_refused_installations_total{binding_kind="mail"} 1');
  });

  it('an unknown recipient alone: the others get the mail', async () => {
    const { port, events } = await open();
    expect((await send(port, { to: ['nobody@localhost', 'assistant@localhost'] })).code).toBe(250);
    expect(await events()).toHaveLength(1);
  });

  it('any recipient with 451 while the database is away, and nothing is lost', async () => {
    const { port, events, url } = await open();
    await withDatabaseAway(url, async () => {
      expect(await send(port, { messageId: '<1@example.com>' })).toMatchObject({ code: 451 });
    });
    expect(await send(port, { messageId: '<1@example.com>' })).toMatchObject({ code: 250 });
    expect(await events()).toHaveLength(1);
  });

  it('a mail with 451 when the database goes away before it is committed', async () => {
    const { port, events, url } = await open();
    const dialogue = await openDialogue(port);
    await dialogue.say('EHLO x');
    const transaction = async () => {
      await dialogue.say('MAIL FROM:<sam@example.com>');
      expect(await dialogue.say('RCPT TO:<assistant@localhost>')).toMatch(/^250 /);
      await dialogue.say('DATA');
    };
    const text = 'From: sam@example.com\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n.';
    await transaction();
    await withDatabaseAway(url, async () => {
      expect(await dialogue.say(text)).toMatch(/^451 /);
    });
    await transaction();
    expect(await dialogue.say(text)).toMatch(/^250 /);
    dialogue.close();
    expect(await events()).toHaveLength(1);
  });

  it('a mail without any address to answer with 554', async () => {
    const { port, events } = await open();
    expect(await sendRaw(port, { raw: 'Subject: x\n\nhi\n', from: '' })).toMatchObject({ code: 554 });
    expect(await events()).toEqual([]);
  });

  it('a mail that is too large with 552, said before it is sent to who asks', async () => {
    const { port, events } = await open();
    const dialogue = await openDialogue(port);
    await dialogue.say('EHLO x');
    expect(await dialogue.say('MAIL FROM:<sam@example.com> SIZE=25000001')).toMatch(/^552 /);
    dialogue.close();
    const raw = Buffer.concat([Buffer.from('From: sam@example.com\r\n\r\n'), Buffer.alloc(25_000_001, 'x\r\n')]);
    expect(await sendRaw(port, { raw })).toMatchObject({ code: 552 });
    expect(await events()).toEqual([]);
  });

  it('a login, and TLS without a certificate of our own: they are not offered', async () => {
    const { port } = await open();
    const dialogue = await openDialogue(port);
    await dialogue.say('EHLO x');
    expect(await dialogue.say('AUTH PLAIN AGEAYg==')).toMatch(/^5/);
    expect(await dialogue.say('STARTTLS')).toMatch(/^5/);
    dialogue.close();
  });
});

describe('stopping', () => {
  it('lets a mail that is being sent be stored and answered, and takes no other', async () => {
    const opened = await open();
    const dialogue = await openDialogue(opened.port);
    const idle = await openDialogue(opened.port);
    await dialogue.say('EHLO x');
    await dialogue.say('MAIL FROM:<sam@example.com>');
    await dialogue.say('RCPT TO:<assistant@localhost>');
    await dialogue.say('DATA');
    const stopped = opened.listener.stop();
    await idle.say('EHLO x');
    expect(await idle.say('MAIL FROM:<sam@example.com>')).toMatch(/^421 /);
    expect(await dialogue.say('From: sam@example.com\r\n\r\nHello\r\n.')).toMatch(/^250 /);
    await stopped;
    expect(await opened.events()).toHaveLength(1);
    await expect(send(opened.port)).rejects.toThrow();
    dialogue.close();
    idle.close();
  });
});
