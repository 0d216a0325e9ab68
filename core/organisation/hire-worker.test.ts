import { afterAll, beforeAll, expect, test } from 'vitest';
import { UnavailableError } from '../errors.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { dismissWorker } from './dismiss-worker.ts';
import { lackingGrants, revokeTools } from './grants.ts';
import { type Hire, hireWorker } from './hire-worker.ts';
import { findOrMakeGuest } from './identities.ts';
import { createPosition } from './positions.ts';
import { createRole } from './roles.ts';
import { seed } from './seed.ts';
import { findWorker, manages } from './workers.ts';

let testing: TestDatabase;
let database: Database;
beforeAll(async () => {
  testing = await testDatabase();
  database = await openDatabase(testing.url);
  await seed(database);
});
afterAll(async () => {
  await database.close();
  await testing.close();
});

function sam(change: Partial<Hire> = {}): Hire {
  return {
    name: 'Sam',
    kind: 'ai',
    position: 'p-assistant',
    identity: 'You are Sam.',
    grants: ['publish', 'dm', 'publish'],
    subscriptions: [{ stream: 's-general', mode: 'mentions' }],
    hiredBy: 'w-owner',
    ...change,
  };
}

test('a hire has its grants, its subscriptions, and a transcript that its manager reads and it does not', async () => {
  const hired = await hireWorker(database, 'default', sam());
  expect(hired).toEqual({ id: 'w-sam', name: 'Sam', kind: 'ai', activationStream: 's-activation-w-sam' });
  expect(await lackingGrants(database, 'default', ['w-sam'], ['publish', 'dm'])).toEqual([]);
  expect(
    await database.query(
      `select worker, stream, mode from subscription where worker = 'w-sam' or stream = 's-activation-w-sam' order by 1, 2`,
    ),
  ).toEqual([
    { worker: 'w-owner', stream: 's-activation-w-sam', mode: 'all' },
    { worker: 'w-sam', stream: 's-general', mode: 'mentions' },
  ]);
  await dismissWorker(database, 'default', { worker: 'w-sam', by: 'w-owner' });
});

test('a hire that fails leaves nothing behind', async () => {
  const subscriptions = [{ stream: 's-nowhere', mode: 'all' } as const];
  await expect(hireWorker(database, 'default', sam({ name: 'Half', subscriptions }))).rejects.toThrow(
    'unknown stream "s-nowhere"',
  );
  expect(await database.query(`select 1 from worker where name = 'Half'`)).toEqual([]);
  expect(await database.query(`select 1 from stream where id like '%half%'`)).toEqual([]);
});

test('two at once cannot take one name, in whatever case; a dismissed worker gives its name back but not its id', async () => {
  const both = await Promise.allSettled([
    hireWorker(database, 'default', sam({ name: 'Lee' })),
    hireWorker(database, 'default', sam({ name: 'LEE' })),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  await dismissWorker(database, 'default', { worker: 'w-lee', by: 'w-owner' });
  const again = await hireWorker(database, 'default', sam({ name: 'Lee' }));
  expect(again.id).toBe('w-lee-2');
});

test.each(['help', 'New', ' ', 'x'.repeat(65), '@lee', 'lee: do'])('%j cannot be a name', async (name) => {
  await expect(hireWorker(database, 'default', sam({ name }))).rejects.toThrow('cannot be a name');
});

test('a guest who is called like a colleague does not take the name', async () => {
  await findOrMakeGuest(database, 'default', { platform: 'mail', externalId: 'kim@a.example', name: 'Kim' });
  expect((await hireWorker(database, 'default', sam({ name: 'Kim' }))).id).toBe('w-kim');
  expect((await findWorker(database, 'default', 'kim')).id).toBe('w-kim');
});

test('who is dismissed loses everything at once', async () => {
  const { id } = await hireWorker(database, 'default', sam({ name: 'Max' }));
  await database.query(`update stream set default_worker = $1 where id = 's-general'`, [id]);
  await database.query(
    `insert into trigger (organisation, event, worker, thread, position) values ('default', 'e-1', $1, 't-1', 1)`,
    [id],
  );
  expect(await dismissWorker(database, 'default', { worker: id, by: 'w-owner' })).toEqual({ cancelledTriggers: 1 });
  expect(await lackingGrants(database, 'default', [id], ['publish'])).toEqual([id]);
  expect(await database.query(`select 1 from subscription where worker = $1`, [id])).toEqual([]);
  expect(await database.query(`select default_worker from stream where id = 's-general'`)).toEqual([
    { default_worker: null },
  ]);
  expect(await database.query(`select token_version from worker where id = $1`, [id])).toEqual([{ token_version: 2 }]);
  expect(await database.query(`select state from trigger where worker = $1`, [id])).toEqual([{ state: 'cancelled' }]);
  await expect(dismissWorker(database, 'default', { worker: id, by: 'w-owner' })).rejects.toThrow('unknown worker');
});

test('nobody dismisses themselves, and the last who may grant stays', async () => {
  await expect(dismissWorker(database, 'default', { worker: 'w-owner', by: 'w-owner' })).rejects.toThrow('yourself');
  await expect(dismissWorker(database, 'default', { worker: 'w-owner', by: 'w-assistant' })).rejects.toThrow(
    'last who may grant',
  );
  await expect(revokeTools(database, 'default', 'w-owner', ['grant'])).rejects.toThrow('last who may grant');
  expect(await lackingGrants(database, 'default', ['w-owner'], ['grant'])).toEqual([]);
});

test('a manager is who sits above, at any height, or who hired', async () => {
  const role = await createRole(database, 'default', { title: 'Lead', content: 'Lead.' });
  const lead = await createPosition(database, 'default', { title: 'Lead', role: role.id, reportsTo: 'p-owner' });
  const seat = await createPosition(database, 'default', { title: 'Seat', role: role.id, reportsTo: lead.id });
  const above = await hireWorker(database, 'default', sam({ name: 'Above', kind: 'human', position: lead.id }));
  const below = await hireWorker(
    database,
    'default',
    sam({ name: 'Below', position: seat.id, hiredBy: 'w-assistant' }),
  );
  const ask = (manager: `w-${string}`) => manages(database, 'default', manager, below.id);
  expect(await Promise.all([ask('w-owner'), ask(above.id), ask('w-assistant')])).toEqual([true, true, true]);
  expect(await ask(below.id)).toBe(false);
  expect(await manages(database, 'default', below.id, above.id)).toBe(false);
});

test('a change while the database is away says so', async () => {
  const refused = await openDatabase('postgres://nobody@127.0.0.1:1/none');
  await expect(createRole(refused, 'default', { title: 'x', content: 'x' })).rejects.toThrow(UnavailableError);
  await refused.close();
});
