import type { Executor } from '../store/database.ts';

/**
 * Ends every lease: whoever held one is dead. Only for a process that knows itself alone on the database, as a core does that holds the
 * embedded one's data directory. After a crash its successor then goes on at once, instead of in 15 s; that the lease was lost,
 * and that what was being done may have happened, is noticed at the claim as always. Returns how many there were.
 */
export async function expireLeases(executor: Executor): Promise<number> {
  const rows = await executor.query(
    `update lane set lease_until = now() - interval '1 millisecond', ready_at = now() where lease_until > now() returning 1`,
  );
  return rows.length;
}
