import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { loadSecretKey } from './load-secret-key.ts';
import { deriveKey } from './secret-key.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const embedded = () => ({ SECRET_KEY: undefined, DATABASE_URL: undefined, DATA_DIR: join(folder, 'data') });
const keyFile = () => join(folder, 'data', 'secret.key');

async function derived(from: Parameters<typeof loadSecretKey>[0]): Promise<string> {
  return deriveKey(await loadSecretKey(from), 'settings').toString('hex');
}

describe('the key file', () => {
  it('is made at the first start, for its owner only, and read at the next', async () => {
    const first = await derived(embedded());
    expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
    expect(Buffer.from(await readFile(keyFile(), 'utf8'), 'base64')).toHaveLength(32);
    expect(await derived(embedded())).toBe(first);
  });

  it('is one file with one key when several start together', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => derived(embedded())));
    expect(new Set(keys).size).toBe(1);
    expect(await readdir(join(folder, 'data'))).toEqual(['secret.key']);
  });

  it('is refused when others may read it', async () => {
    await derived(embedded());
    await chmod(keyFile(), 0o640);
    await expect(derived(embedded())).rejects.toThrow(/may be read by others \(mode 0640\): run "chmod 600/);
  });

  it('is never replaced when it is damaged', async () => {
    await derived(embedded());
    await writeFile(keyFile(), '\n');
    await expect(derived(embedded())).rejects.toThrow(/holds no key: bring it back from a backup/);
    expect(await readFile(keyFile(), 'utf8')).toBe('\n');
  });

  it('cannot be made where DATA_DIR is a file, and says so', async () => {
    await writeFile(join(folder, 'data'), '');
    await expect(derived(embedded())).rejects.toThrow(ConfigurationError);
    await expect(derived(embedded())).rejects.toThrow(/DATA_DIR must be a folder/);
  });
});

describe('a configured SECRET_KEY', () => {
  const SECRET_KEY = 'x'.repeat(40);

  it('is used instead of a key file, and none is made', async () => {
    await derived({ ...embedded(), SECRET_KEY });
    expect(await readdir(folder)).toEqual([]);
  });

  it('opens what the key file of the same text encrypted', async () => {
    const fromFile = await derived(embedded());
    expect(await derived({ ...embedded(), SECRET_KEY: await readFile(keyFile(), 'utf8') })).toBe(fromFile);
  });

  it('is required with DATABASE_URL, whose password is not repeated', async () => {
    const loading = derived({ ...embedded(), DATABASE_URL: 'postgres://u:hunter2@db/x' });
    await expect(loading).rejects.toThrow(/DATABASE_URL is set without SECRET_KEY.*openssl rand -base64 32/);
    await expect(loading).rejects.not.toThrow(/hunter2/);
  });
});
