import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSecretKey } from '../secrets/secret-key.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { getStored, listStored, type SettingsStore, setStored, unsetStored } from './stored-settings.ts';

let clone: TestDatabase;
let database: Database;
beforeAll(async () => {
  clone = await testDatabase();
  database = await openDatabase(clone.url);
});
afterAll(async () => {
  await database.close();
  await clone.close();
});

const secretKey = parseSecretKey(randomBytes(32).toString('base64'));

function storeOf(organisation: string, key = secretKey): SettingsStore {
  return { database, organisation, secretKey: key };
}

describe('stored settings', () => {
  it('are kept until they are set anew or unset', async () => {
    const store = storeOf('o-kept');
    expect(await getStored(store, 'MODEL')).toBeUndefined();
    await setStored(store, 'MODEL', 'openai/a');
    await setStored(store, 'MODEL', 'openai/b');
    await setStored(store, 'SMTP_URL', 'smtp://mail');
    expect(await getStored(store, 'MODEL')).toBe('openai/b');
    expect(await listStored(store)).toEqual(
      new Map([
        ['MODEL', 'openai/b'],
        ['SMTP_URL', 'smtp://mail'],
      ]),
    );
    expect(await unsetStored(store, 'MODEL')).toBe(true);
    expect(await unsetStored(store, 'MODEL')).toBe(false);
    expect([...(await listStored(store)).keys()]).toEqual(['SMTP_URL']);
  });

  it('lie encrypted in the table', async () => {
    await setStored(storeOf('o-sealed'), 'SLACK_BOT_TOKEN', 'hunter2hunter2');
    const rows = await database.query("select * from setting where organisation = 'o-sealed'");
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('hunter2');
  });

  it('of one organisation are not those of another, not even when a row is copied', async () => {
    await setStored(storeOf('o-one'), 'MODEL', 'openai/one');
    expect(await getStored(storeOf('o-two'), 'MODEL')).toBeUndefined();
    await database.query("insert into setting select 'o-two', key, value from setting where organisation = 'o-one'");
    await expect(getStored(storeOf('o-two'), 'MODEL')).rejects.toMatchObject({ code: 'wrong_secret_key' });
  });

  it('say which one another SECRET_KEY left unreadable, and can then be unset', async () => {
    await setStored(storeOf('o-rotated'), 'SMTP_URL', 'smtp://me:hunter2@mail');
    const other = storeOf('o-rotated', parseSecretKey(randomBytes(32).toString('hex')));
    await expect(listStored(other)).rejects.toThrow(
      /^setting SMTP_URL of o-rotated does not open with this SECRET_KEY/,
    );
    expect(await unsetStored(other, 'SMTP_URL')).toBe(true);
    expect(await listStored(other)).toEqual(new Map());
  });
});
