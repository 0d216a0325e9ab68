import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { z } from 'zod';
import { ConfigurationError } from '../../errors.ts';
import { isAlive } from './process-identity.ts';

/** Who asks for a data directory: a core keeps it for its life, a command of the CLI for a moment. */
export type Holder = 'core' | 'cli';

/** How asking for the lock ended. `beside-core`: for a CLI only, it works beside the core that has the lock. */
export type LockOutcome = 'taken' | 'taken-after-cli' | 'beside-core';

// two numbers of our own choosing, for this lock only; it is a database's, so it lives in the database `switchboard`
const key = '1398230868, 1';
const holders = z.array(z.object({ application_name: z.string() }));

/** The application name of the connection that bears, or asks for, the lock. Others read it to tell who has it. */
export function holderName(holder: Holder): string {
  return `switchboard ${holder} (pid ${process.pid})`;
}

/**
 * Takes the lock of the data directory on a connection that nothing else may use: the lock lives as long as the connection, so
 * the death of its process in whatever way frees it at once. A CLI that has it is waited for, 10 s,
 * and so is a core that is dead.
 *
 * @throws ConfigurationError where it stays taken; for a core at once if a living core has it
 */
export async function takeDataDirectoryLock(
  client: Client,
  holder: Holder,
  dataDirectory: string,
): Promise<LockOutcome> {
  const deadline = Date.now() + 10_000;
  let outcome: LockOutcome = 'taken';
  for (;;) {
    const { rows } = await client.query(`select pg_try_advisory_lock(${key}) as taken`);
    if (rows[0]?.taken === true) return outcome;
    const name = await findHolder(client);
    if (name.startsWith('switchboard cli')) outcome = 'taken-after-cli';
    if (name.startsWith('switchboard core') && (await mayBeAlive(name))) {
      if (holder === 'cli') return 'beside-core';
      throw inUse(dataDirectory, name);
    }
    if (Date.now() > deadline) throw inUse(dataDirectory, name);
    await sleep(50);
  }
}

/** Whether a core or a CLI other than this one is connected to the server. */
export async function othersAreConnected(client: Client): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from pg_stat_activity
     where application_name ~ '^switchboard (core|cli) ' and pid <> pg_backend_pid() limit 1`,
  );
  return rows.length > 0;
}

/** '' if the lock was let go of just now. */
async function findHolder(client: Client): Promise<string> {
  const { rows } = await client.query(
    `select activity.application_name from pg_locks join pg_stat_activity activity using (pid)
     where locktype = 'advisory' and granted and (classid, objid, objsubid) = (${key}, 2)`,
  );
  return holders.parse(rows)[0]?.application_name ?? '';
}

/** A core that was killed holds the lock until the server has noticed; so do we ourselves, after losing the connection. */
async function mayBeAlive(holder: string): Promise<boolean> {
  const pid = Number(/pid (\d+)/.exec(holder)?.[1]);
  return pid !== process.pid && (await isAlive(pid));
}

function inUse(dataDirectory: string, holder: string): ConfigurationError {
  const pid = /pid \d+/.exec(holder)?.[0];
  return new ConfigurationError(
    `data directory ${dataDirectory} is in use by another running switchboard${pid ? ` (${pid})` : ''}: ` +
      'stop that one, or set DATA_DIR to another folder.',
    'data_directory_in_use',
  );
}
