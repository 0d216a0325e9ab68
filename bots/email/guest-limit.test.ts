import { afterEach, describe, expect, it } from 'vitest';
import { connectMail, sendMail } from '../../e2e/clients/send-mail.ts';
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

/** Who is over the limit is told once in each hour of the clock. */
const hour = () => Math.floor(Date.now() / 3_600_000);

const mail = { from: 'sam@example.com', to: 'assistant@localhost', subject: 'Lunch', text: 'Thursday?' };

describe('guests', () => {
  it('wake agents 30 times an hour each; what comes then is kept, and they are told once', async () => {
    const opened = await open();
    const connection = connectMail(opened.port);
    const began = hour();

    for (let n = 1; n <= 33; n++) expect((await connection.send({ ...mail, subject: `${n}` })).code).toBe(250);
    expect((await connection.send({ ...mail, from: 'lee@example.com', subject: 'other' })).code).toBe(250);
    connection.close();
    const events = await opened.events();
    expect(events.filter((event) => event.sourceKind === 'human')).toHaveLength(34);
    const told = events.filter((event) => event.sourceKind === 'notice').length;
    expect(told).toBeGreaterThanOrEqual(1);
    expect(told).toBeLessThanOrEqual(1 + hour() - began);
    expect(await opened.triggers()).toHaveLength(31);
  });

  it('may not have mail sent to somebody by commands either', async () => {
    const opened = await open();
    const connection = connectMail(opened.port);
    const began = hour();
    for (let n = 1; n <= 33; n++)
      expect((await connection.send({ ...mail, subject: `${n}`, text: 'mute' })).code).toBe(250);
    connection.close();
    const said = (await opened.events()).filter((event) => event.sourceKind === 'notice').map((event) => event.body);
    expect(said.filter((body) => body.startsWith('Muted'))).toHaveLength(30);
    expect(said.length).toBeGreaterThanOrEqual(31);
    expect(said.length).toBeLessThanOrEqual(31 + hour() - began);
  });

  it('reach their limit exactly although all write at once', async () => {
    const opened = await open();
    const connections = Array.from({ length: 8 }, () => connectMail(opened.port));
    const work = connections.flatMap((connection, c) =>
      [1, 2, 3, 4, 5].map((n) =>
        connection.send({ from: 'sam@example.com', to: 'assistant@localhost', subject: `${c}.${n}`, text: 'x' }),
      ),
    );
    for (const answer of await Promise.all(work)) expect(answer.code).toBe(250);
    for (const connection of connections) connection.close();
    expect(await opened.triggers()).toHaveLength(30);
  });

  it('together wake agents 300 times an hour, and nobody is told', async () => {
    const opened = await open();
    const { database } = opened.core;
    await sendMail({ port: opened.port, ...mail });
    // Ten others who have used up all but one of the rest.
    await database.query(
      `with guest as (
         insert into worker (organisation, id, name, kind) select $1, 'w-g' || n, 'g' || n, 'human' from generate_series(1, 10) n returning id
       ), i as (
         insert into identity (organisation, platform, external_id, worker) select $1, 'mail-unverified', id || '@example.com', id from guest
       ), e as (
         insert into event (organisation, id, stream, position, thread, author, source_kind, origin)
         select $1, 'e-' || n, 's-mail', 1000 + n, 't-x', 'w-g' || (n % 10 + 1), 'human', 'e-' || n from generate_series(1, 298) n returning id, position
       ), a as (
         insert into activation (organisation, id, worker, stream, thread, state, origin)
         select $1, 'a' || id, 'w-assistant', 's-mail', 't-x', 'done', id from e
       )
       insert into trigger (organisation, event, worker, thread, position, state, activation)
       select $1, id, 'w-assistant', 't-x', position, 'done', 'a' || id from e`,
      [organisation],
    );
    await database.query(`update stream set position = 2000 where id = 's-mail'`);
    const before = (await opened.triggers()).length;
    await sendMail({ port: opened.port, ...mail, from: 'lee@example.com' });
    expect(await opened.triggers()).toHaveLength(before + 1);
    await sendMail({ port: opened.port, ...mail, from: 'kim@example.com' });
    expect(await opened.triggers()).toHaveLength(before + 1);
    expect((await opened.events()).filter((event) => event.sourceKind === 'notice')).toEqual([]);
  });

  it('are those for whom nobody vouches: others have no limit', async () => {
    const opened = await open({ trusted: true });
    const connection = connectMail(opened.port);
    for (let n = 1; n <= 32; n++)
      await connection.send({ from: 'sam@example.com', to: 'assistant@localhost', subject: `${n}`, text: 'x' });
    connection.close();
    expect(await opened.triggers()).toHaveLength(32);
  });
});
