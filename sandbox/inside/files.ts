import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ReadAnswer } from './messages.ts';

/**
 * At most `bytes` of a file from `offset`. It is opened here, inside, so that a symbolic link leads nowhere but inside.
 *
 * @throws Error when it is no plain file: a FIFO or a device might never answer. The message is for an agent, and says what to do
 */
export async function readPart(home: string, path: string, offset: number, bytes: number): Promise<ReadAnswer> {
  await using file = await open(resolve(home, path), constants.O_RDONLY | constants.O_NONBLOCK).catch(explain(path));
  const about = await file.stat();
  if (!about.isFile()) throw new Error(`${path} is ${about.isDirectory() ? 'a folder' : 'no plain file'}`);
  const wanted = Math.max(0, Math.min(bytes, about.size - offset));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, offset);
  return { data: buffer.subarray(0, bytesRead).toString('base64'), size: about.size };
}

/**
 * Writes a whole file, and makes the folders above it.
 *
 * @throws Error when it cannot be written there. The message is for an agent, and says what to do
 */
export async function writeWhole(home: string, path: string, data: Buffer): Promise<void> {
  const file = resolve(home, path);
  await mkdir(dirname(file), { recursive: true }).catch(explain(path));
  await using target = await open(
    file,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK,
  ).catch(explain(path));
  if (!(await target.stat()).isFile()) throw new Error(`${path} is no plain file: choose another path`);
  await target.writeFile(data).catch(explain(path));
}

/** What the commonest refusals mean to whoever named the path (errno(3)). */
const meanings: Record<string, string> = {
  ENOENT: 'there is no such file: look what there is with ls, a path is relative to the home folder or absolute',
  ENOTDIR: 'a part of the path is a file, not a folder: choose another path',
  EEXIST: 'a part of the path is a file, not a folder: choose another path',
  EISDIR: 'it is a folder: name a file in it',
  ENXIO: 'it is no plain file: choose another path',
  ELOOP: 'its symbolic links lead in a circle: remove one of them',
  ENAMETOOLONG: 'the path is too long: choose a shorter one',
  EACCES: 'this user may not: choose a path in the home folder',
  EPERM: 'this user may not: choose a path in the home folder',
  EROFS: 'nothing can be written there: choose a path in the home folder',
  ENOSPC: 'there is no room left: delete something first',
  EFBIG: 'it is larger than a file may be here: write less',
  ETXTBSY: 'it is a program that runs: end it first',
  ERR_INVALID_ARG_VALUE: 'no path holds a NUL character: leave it out',
};

function explain(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    const shown = path.replaceAll('\0', '␀');
    throw new Error(`${shown}: ${meanings[error.code ?? ''] ?? error.message}`, { cause: error });
  };
}
