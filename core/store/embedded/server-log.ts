import { copyFile, open, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToOwnerOf } from './server-account.ts';

const limit = 8 * 1024 * 1024;

/** PostgreSQL's own log. Two files, this and `.1`, hold at most 8 MiB each, give or take what is written in a minute. */
export function serverLogFile(dataDirectory: string): string {
  return join(dataDirectory, 'postgresql.log');
}

/** Moves a full log aside. The file is emptied, not replaced: the server keeps writing to it at its end. */
export async function boundServerLog(dataDirectory: string): Promise<void> {
  const file = serverLogFile(dataDirectory);
  const size = (await stat(file).catch(() => undefined))?.size ?? 0;
  if (size <= limit) return;
  await copyFile(file, `${file}.1`);
  await truncate(file, 0);
}

/** Keeps the log bounded while this process runs. Call what it returns to end that; it never keeps the process alive. */
export function keepServerLogBounded(dataDirectory: string): () => void {
  const timer = setInterval(() => void boundServerLog(dataDirectory).catch(() => {}), 60_000).unref();
  return () => clearInterval(timer);
}

/** Opens the log for a server to write to, and tells what it adds from here on. */
export async function openServerLog(dataDirectory: string) {
  await boundServerLog(dataDirectory).catch(() => {});
  const handle = await open(serverLogFile(dataDirectory), 'a+', 0o600);
  await giveToOwnerOf(dataDirectory, serverLogFile(dataDirectory));
  const start = (await handle.stat()).size;
  return {
    fd: handle.fd,
    close: () => handle.close(),
    /** What was written since it was opened, at most the last 16 KiB. */
    async written(): Promise<string> {
      const { size } = await handle.stat();
      const from = Math.max(start, size - 16_384);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - from)), 0, undefined, from);
      return buffer.toString('utf8', 0, bytesRead);
    },
  };
}
