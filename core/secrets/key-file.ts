import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../errors.ts';
import { parseSecretKey, SECRET_KEY_LENGTH, type SecretKey } from './secret-key.ts';

const KEY_FILE = 'secret.key';

/**
 * The key in DATA_DIR/secret.key, made at the first start: 32 random bytes in base64, mode 0600. Two processes that start
 * together get the same key, and a crash leaves either a whole file or none.
 *
 * @throws ConfigurationError when others than the owner may read the file, or when it holds no key. A lost key is never
 *   replaced silently: what was encrypted under it would be gone.
 */
export async function readOrMakeKeyFile(dataDirectory: string): Promise<SecretKey> {
  const path = join(dataDirectory, KEY_FILE);
  if ((await modeOf(path)) === undefined) await makeKeyFile(dataDirectory, path);
  const mode = await modeOf(path);
  // Windows reports invented mode bits: access control lists decide there.
  if (mode !== undefined && (mode & 0o077) !== 0 && process.platform !== 'win32') {
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    throw new ConfigurationError(
      `${path} may be read by others (mode ${shown}): run "chmod 600 ${path}", and if others use this machine make a new key`,
    );
  }
  const text = (await readFile(path, 'utf8').catch((cause) => Promise.reject(unusable('read', path, cause)))).trim();
  if (text.length < SECRET_KEY_LENGTH) {
    throw new ConfigurationError(
      `${path} holds no key: bring it back from a backup, or delete it to start with a new one (stored settings are then lost)`,
    );
  }
  return parseSecretKey(text);
}

async function makeKeyFile(dataDirectory: string, path: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(dataDirectory, { recursive: true });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(32).toString('base64')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, not a rename: it fails when another process was first, and that one's key stands.
    await link(draft, path).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await syncDirectory(dataDirectory);
  } catch (cause) {
    throw unusable('make', path, cause);
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable('read', path, error);
  }
}

/** Makes the new name durable, where the platform lets a directory be opened and synced (Windows does not). */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}

function unusable(verb: 'read' | 'make', path: string, cause: unknown): ConfigurationError {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new ConfigurationError(
    `cannot ${verb} ${path} (${reason}): DATA_DIR must be a folder that the user who runs Switchboard may read and write`,
    undefined,
    { cause },
  );
}
