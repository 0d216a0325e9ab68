import { decrypt, encrypt } from '../secrets/encrypt.ts';
import { deriveKey, type SecretKey } from '../secrets/secret-key.ts';
import type { Executor } from '../store/database.ts';

/** Where stored settings lie and what opens them. */
export type SettingsStore = {
  readonly database: Executor;
  readonly organisation: string;
  readonly secretKey: SecretKey;
};

/** Stores a setting, encrypted, in place of an earlier one. Check it with {@link checkStorable} first. */
export async function setStored(store: SettingsStore, key: string, text: string): Promise<void> {
  const value = encrypt(deriveKey(store.secretKey, PURPOSE), text, contextOf(store, key));
  await store.database.query(
    `insert into setting (organisation, key, value, updated_at) values ($1, $2, $3, now())
     on conflict (organisation, key) do update set value = excluded.value, updated_at = now()`,
    [store.organisation, key, value],
  );
}

/**
 * A stored setting as it was set, or undefined.
 *
 * @throws ConfigurationError (`wrong_secret_key`) when it was stored under another SECRET_KEY
 */
export async function getStored(store: SettingsStore, key: string): Promise<string | undefined> {
  const [row] = await store.database.query<Row>('select key, value from setting where organisation = $1 and key = $2', [
    store.organisation,
    key,
  ]);
  return row && open(store, row);
}

/** Forgets a stored setting, readable or not. False when there was none. */
export async function unsetStored(store: SettingsStore, key: string): Promise<boolean> {
  const rows = await store.database.query('delete from setting where organisation = $1 and key = $2 returning key', [
    store.organisation,
    key,
  ]);
  return rows.length > 0;
}

/**
 * All stored settings of the organisation, by key.
 *
 * @throws ConfigurationError (`wrong_secret_key`) naming the first that was stored under another SECRET_KEY
 */
export async function listStored(store: SettingsStore): Promise<Map<string, string>> {
  const rows = await store.database.query<Row>('select key, value from setting where organisation = $1 order by key', [
    store.organisation,
  ]);
  return new Map(rows.map((row) => [row.key, open(store, row)]));
}

type Row = { key: string; value: string };

const PURPOSE = 'settings';

function open(store: SettingsStore, row: Row): string {
  return decrypt(deriveKey(store.secretKey, PURPOSE), row.value, contextOf(store, row.key));
}

/** Bound to its row: a value copied to another key or organisation does not open there. */
function contextOf(store: SettingsStore, key: string): string {
  return `setting ${key} of ${store.organisation}`;
}
