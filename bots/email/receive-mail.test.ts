import { afterEach, describe, expect, it } from 'vitest';
import { type MailToSend, sendMail } from '../../e2e/clients/send-mail.ts';
import { type MailHouse, type MailHouseOptions, openMailHouse, organisation } from './testing/mail-house.ts';

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

describe('automatic mail', () => {
  it('is stored and wakes nobody', async () => {
    const { port, events, triggers } = await open();
    const mails: Partial<MailToSend>[] = [
      { headers: { 'Auto-Submitted': 'auto-replied' } },
      { headers: { Precedence: 'bulk' } },
      { headers: { 'List-Id': '<friends.example.com>' } },
      { envelopeFrom: '' },
      { from: 'MAILER-DAEMON@example.com' },
      { from: 'assistant@localhost' },
      { headers: { 'Reply-To': 'assistant+t-1@localhost' } },
    ];
    for (const mail of mails) expect((await send(port, mail)).code).toBe(250);
    const stored = await events();
    expect(stored).toHaveLength(mails.length);
    for (const event of stored) expect(event.extra).toMatchObject({ mail: { automatic: expect.any(String) } });
    expect(await triggers()).toEqual([]);
  });

  it('that a person sent by hand with "Auto-Submitted: no" is not', async () => {
    const { port, triggers } = await open();
    await send(port, { headers: { 'Auto-Submitted': 'no' } });
    expect(await triggers()).toHaveLength(1);
  });
});

describe('the sender of a mail', () => {
  async function identities(opened: MailHouse) {
    return await opened.core.database.query(
      'select platform, external_id as "externalId" from identity order by created_at',
    );
  }

  it('is a guest unless somebody vouches for the address', async () => {
    const stranger = await open();
    await send(stranger.port, { from: 'Ada <ada@example.com>' });
    expect(await identities(stranger)).toEqual([{ platform: 'mail-unverified', externalId: 'ada@example.com' }]);
  });

  it('is known by the From address when a trusted relay passes the mail on', async () => {
    const opened = await open({ trusted: true });
    const { database } = opened.core;
    await database.query(
      `insert into identity (organisation, platform, external_id, worker) values ($1, 'mail', 'ada@example.com', 'w-ada')`,
      [organisation],
    );
    await send(opened.port, { from: 'Ada <Ada@Example.com>', headers: { 'Reply-To': 'desk@example.com' } });
    expect(await opened.events()).toMatchObject([
      { author: 'w-ada', extra: { mail: { replyTo: 'desk@example.com', verified: true } } },
    ]);
  });

  it('who writes a known address into From and another into Reply-To is the other', async () => {
    const opened = await open();
    const { database } = opened.core;
    for (const platform of ['mail', 'mail-unverified'])
      await database.query(
        `insert into identity (organisation, platform, external_id, worker) values ($1, $2, 'ada@example.com', 'w-ada')`,
        [organisation, platform],
      );
    await send(opened.port, { from: 'Ada <ada@example.com>', headers: { 'Reply-To': 'eve@evil.example' } });
    const [event] = await opened.events();
    expect(event?.author).not.toBe('w-ada');
    expect(event?.extra).toEqual({ mail: { replyTo: 'eve@evil.example' } });
    expect(await identities(opened)).toContainEqual({ platform: 'mail-unverified', externalId: 'eve@evil.example' });
  });
});

describe('a Thread', () => {
  const first = { messageId: '<first@example.com>' };

  it('is continued by an answer to a mail in it', async () => {
    const { port, events } = await open();
    await send(port, first);
    await send(port, { inReplyTo: '<first@example.com>' });
    await send(port, { references: ['<lost@example.com>', '<first@example.com>', '<unknown@example.com>'] });
    const threads = (await events()).map((event) => event.thread);
    expect(new Set(threads).size).toBe(1);
  });

  it("is continued by the token in the recipient's address", async () => {
    const { port, events } = await open();
    await send(port, first);
    const [event] = await events();
    await send(port, { to: `assistant+${event?.thread}@localhost` });
    expect((await events()).map((each) => each.thread)).toEqual([event?.thread, event?.thread]);
  });

  it('is not entered by a stranger who names its mail, its token or both', async () => {
    const { port, events } = await open();
    await send(port, first);
    const thread = (await events())[0]?.thread;
    const stranger = { from: 'eve@evil.example' };
    await send(port, { ...stranger, inReplyTo: '<first@example.com>', references: ['<first@example.com>'] });
    await send(port, { ...stranger, to: `assistant+${thread}@localhost` });
    await send(port, {
      from: 'Sam <sam@example.com>',
      headers: { 'Reply-To': 'eve@evil.example' },
      inReplyTo: '<first@example.com>',
    });
    const threads = (await events()).map((event) => event.thread);
    expect(threads.filter((each) => each === thread)).toHaveLength(1);
    expect(new Set(threads.slice(1)).size).toBe(3);
  });

  it('wakes whoever takes part in it, and a new one the Worker behind the alias', async () => {
    const opened = await open();
    await send(opened.port, first);
    const { database } = opened.core;
    await database.query(`insert into worker (organisation, id, name, kind) values ($1, 'w-scout', 'Scout', 'ai')`, [
      organisation,
    ]);
    const thread = (await opened.events())[0]?.thread;
    await database.query('delete from participant where worker = $1', ['w-assistant']);
    await database.query('insert into participant (organisation, thread, worker) values ($1, $2, $3)', [
      organisation,
      thread,
      'w-scout',
    ]);
    await send(opened.port, { inReplyTo: '<first@example.com>' });
    const second = (await opened.events())[1];
    const woken = (await opened.triggers()).filter((trigger) => trigger.event === second?.id);
    expect(woken.map((trigger) => trigger.worker)).toEqual(['w-scout']);
  });

  it('is not begun by a mail of ours that comes back', async () => {
    const opened = await open();
    await send(opened.port, first);
    const [event] = await opened.events();
    await opened.core.database.query(
      `insert into receipt (organisation, binding, external_id, event) values ($1, 'b-mail', '<d-1@localhost>', $2)`,
      [organisation, event?.id],
    );
    await send(opened.port, { messageId: '<d-1@localhost>', from: 'sam@example.com' });
    expect(await opened.events()).toHaveLength(1);
  });
});
