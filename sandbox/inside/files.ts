import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ReadAnswer } from './messages.ts';

/**
 * At most `bytes` of a file from `offset`. It is opened here, inside, so that a symbolic link leads nowhere but inside.
 *
 * @throws Error when it is no plain file: a FIFO or a device might never answer
 */
export async function readPart(home: string, path: string, offset: number, bytes: number): Promise<ReadAnswer> {
  await using file = await open(resolve(home, path), constants.O_RDONLY | constants.O_NONBLOCK);
  const about = await file.stat();
  if (!about.isFile()) throw new Error(`${path} is ${about.isDirectory() ? 'a folder' : 'no plain file'}`);
  const wanted = Math.max(0, Math.min(bytes, about.size - offset));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, offset);
  return { data: buffer.subarray(0, bytesRead).toString('base64'), size: about.size };
}

/** Writes a whole file, and makes the folders above it. */
export async function writeWhole(home: string, path: string, data: Buffer): Promise<void> {
  const file = resolve(home, path);
  await mkdir(dirname(file), { recursive: true });
  await using target = await open(
    file,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK,
  );
  await target.writeFile(data);
}
