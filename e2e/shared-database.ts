import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedServer } from '../core/store/embedded/embedded-server.ts';
import { makeDataDirectory } from './processes.ts';

/** A PostgreSQL server of our own, for several cores, or to take away and bring back. */
export type SharedDatabase = {
  /** postgres://…, the same after a restart. */
  url: string;
  /** The settings that lead a core to it. */
  env: { DATABASE_URL: string; SECRET_KEY: string };
  /** A folder for the files of one of the cores. */
  folder(name: string): string;
  /** Ends the server as its administrator would; clients get ECONNREFUSED until {@link SharedDatabase.start}. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes everything. */
  close(): Promise<void>;
};

const quiet = { info() {}, warn() {}, error: console.error };

/** Starts a server in a folder for temporary files, with fsync on. */
export async function openSharedDatabase(): Promise<SharedDatabase> {
  const dataDirectory = await makeDataDirectory();
  const open = () => startEmbeddedServer({ dataDirectory: join(dataDirectory, 'server'), log: quiet });
  let server: EmbeddedServer | undefined = await open();
  const { url } = server;
  const stop = async () => {
    const stopping = server;
    server = undefined;
    await stopping?.stop();
  };
  return {
    url,
    env: { DATABASE_URL: url, SECRET_KEY: randomBytes(32).toString('hex') },
    folder: (name) => join(dataDirectory, name),
    stop,
    start: async () => {
      server ??= await open();
      if (server.url !== url) throw new Error('the database came back at another address');
    },
    close: async () => {
      await stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
