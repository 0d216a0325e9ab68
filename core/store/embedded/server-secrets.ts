import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigurationError } from '../../errors.ts';
import { giveToOwnerOf } from './server-account.ts';

const shape = z.object({ password: z.string().min(20), port: z.number().int().min(1).max(65535).optional() });

/** What the next start must know of the server: its password, and the port it had, to have it again. */
export type ServerSecrets = z.infer<typeof shape>;

const fileOf = (dataDirectory: string) => join(dataDirectory, 'postgresql.json');

/**
 * Reads `<DATA_DIR>/postgresql.json`; undefined where there is none yet.
 *
 * @throws ConfigurationError if it cannot be read or was damaged
 */
export async function readServerSecrets(dataDirectory: string): Promise<ServerSecrets | undefined> {
  const file = fileOf(dataDirectory);
  try {
    return shape.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigurationError(
      `${file} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'it is damaged'}): ` +
        'make it readable for the account that runs switchboard, or delete it and a new password is set.',
      'embedded_secrets',
      { cause },
    );
  }
}

/** Writes the file whole or not at all, mode 0600, and as root for whom the data directory belongs to. */
export async function writeServerSecrets(dataDirectory: string, secrets: ServerSecrets): Promise<void> {
  const file = fileOf(dataDirectory);
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(secrets)}\n`, { mode: 0o600, flush: true });
  await giveToOwnerOf(dataDirectory, draft);
  await rename(draft, file);
}

/** A new password: 144 random bits in letters that need no quoting in a URL. */
export function makePassword(): string {
  return randomBytes(18).toString('base64url');
}
