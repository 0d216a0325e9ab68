import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../store/database.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { findOrMakeGuest } from './identities.ts';
import { addInstallation, findInstallation } from './installations.ts';
import { makePairingCode, pairIdentity, readPairingCode } from './pairing.ts';
import { seed } from './seed.ts';

let testing: TestDatabase;
let database: Database;
beforeAll(async () => {
  testing = await testDatabase();
  database = await openDatabase(testing.url);
  await seed(database);
  await database.query(`insert into organisation (id, name) values ('other', 'Other')`);
});
afterAll(async () => {
  await database.close();
  await testing.close();
});

const ada = { platform: 'mail', externalId: 'ada@example.com', name: 'Ada' };

test('somebody seen for the first time becomes one guest, however many messages come at once', async () => {
  const all = await Promise.all(Array.from({ length: 12 }, () => findOrMakeGuest(database, 'default', ada)));
  expect(new Set(all).size).toBe(1);
  expect(await database.query(`select id, name, kind, position from worker where name = 'Ada'`)).toEqual([
    { id: all[0], name: 'Ada', kind: 'human', position: null },
  ]);
  expect(all[0]).toMatch(/^w-guest-/);
});

test('one address in two organisations, or verified and not, is another guest each', async () => {
  const guests = await Promise.all([
    findOrMakeGuest(database, 'default', ada),
    findOrMakeGuest(database, 'other', ada),
    findOrMakeGuest(database, 'default', { ...ada, platform: 'mail-unverified' }),
  ]);
  expect(new Set(guests).size).toBe(3);
});

test('a guest that calls itself like a colleague goes by its address', async () => {
  const guest = await findOrMakeGuest(database, 'default', {
    ...ada,
    externalId: 'evil@example.com',
    name: 'aSSistant',
  });
  expect(await database.query('select name from worker where id = $1', [guest])).toEqual([
    { name: 'evil@example.com' },
  ]);
});

test('a pairing code links the identity to its worker, once', async () => {
  const guest = await findOrMakeGuest(database, 'default', ada);
  await database.query(`insert into participant (organisation, thread, worker) values ('default', 't-1', $1)`, [guest]);
  const code = await makePairingCode(database, 'default', 'w-owner');
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
  expect(readPairingCode(` ${code.toLowerCase()}\n`)).toBe(code.toLowerCase());
  expect(readPairingCode(`my code is ${code}`)).toBeNull();
  for (const words of ['well-done', 'sale-2024', '2024-2025']) expect(readPairingCode(words)).toBeNull();

  expect(await pairIdentity(database, 'other', code, ada)).toBeNull();
  const both = await Promise.all([
    pairIdentity(database, 'default', code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l'), ada),
    pairIdentity(database, 'default', code, { platform: 'mail', externalId: 'thief@example.com' }),
  ]);
  expect(both.filter((worker) => worker === 'w-owner')).toHaveLength(1);
  expect(both.filter((worker) => worker === null)).toHaveLength(1);
});

test('who is linked keeps the threads of the guest that they were', async () => {
  const bob = { platform: 'mail', externalId: 'bob@example.com', name: 'Bob' };
  const guest = await findOrMakeGuest(database, 'default', bob);
  await database.query(`insert into participant (organisation, thread, worker) values ('default', 't-bob', $1)`, [
    guest,
  ]);
  const code = await makePairingCode(database, 'default', 'w-owner');
  expect(await pairIdentity(database, 'default', code, bob)).toBe('w-owner');
  expect(await findOrMakeGuest(database, 'default', bob)).toBe('w-owner');
  expect(
    await database.query(`select 1 as one from participant where thread = 't-bob' and worker = 'w-owner'`),
  ).toHaveLength(1);
});

test('a code is stored as a hash, and is void after ten minutes or when its worker is gone', async () => {
  const code = await makePairingCode(database, 'default', 'w-owner');
  const stored = JSON.stringify(await database.query('select * from pairing_code'));
  expect(stored).not.toContain(code);
  expect(stored).not.toContain(code.replace('-', ''));
  await database.query(`update pairing_code set expires_at = expires_at - interval '10 minutes 1 second'`);
  expect(await pairIdentity(database, 'default', code, ada)).toBeNull();
  await expect(makePairingCode(database, 'default', 'w-nobody')).rejects.toThrow('unknown worker "w-nobody"');
});

test('a mail domain leads to one organisation only', async () => {
  const domain = { kind: 'mail', externalId: 'example.com' };
  expect(await findInstallation(database, domain)).toBeNull();
  await addInstallation(database, 'default', domain);
  await addInstallation(database, 'default', domain);
  expect(await findInstallation(database, domain)).toBe('default');
  await expect(addInstallation(database, 'other', domain)).rejects.toThrow('belongs to another organisation');
});
