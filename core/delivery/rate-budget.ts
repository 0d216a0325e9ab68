import type { Executor } from '../store/database.ts';
import type { OrganisationId } from '../store/ids.ts';

/** One rate limit of a platform, for a workspace and method: `burst` at once, then `perMinute`. */
export interface RateBudget {
  organisation: OrganisationId;
  /** Names it among all: `slack T0123 chat.update`. */
  key: string;
  perMinute: number;
  burst: number;
}

/** Who takes: `may` leaves a part of the budget to those who `must`; these are only kept waiting when the platform asked for it. */
export type Urgency = 'may' | 'must';

/** So much of a burst is left to those who must. */
const kept = 0.4;

/**
 * Takes one from a budget that all core processes share. Who must draws it below zero where that is needed, and then who may waits
 * the longer.
 *
 * @returns 0 when it was taken, else the seconds until it is worth asking again
 */
export async function takeFromBudget(executor: Executor, budget: RateBudget, urgency: Urgency): Promise<number> {
  const { organisation, key, perMinute, burst } = budget;
  const least = urgency === 'may' ? burst * kept : -burst;
  const taken = await executor.query(
    `insert into rate_budget as b (organisation, key, tokens, refilled_at) values ($1, $2, $3::float8 - 1, clock_timestamp())
     on conflict (organisation, key) do update set refilled_at = clock_timestamp(),
       tokens = greatest(least($3, b.tokens + extract(epoch from clock_timestamp() - b.refilled_at)::float8 * $4) - 1, -$3::float8)
     where (b.blocked_until is null or b.blocked_until <= clock_timestamp())
       and ($6 or least($3, b.tokens + extract(epoch from clock_timestamp() - b.refilled_at)::float8 * $4) - 1 >= $5)
     returning 1`,
    [organisation, key, burst, perMinute / 60, least, urgency === 'must'],
  );
  if (taken.length > 0) return 0;
  const blocked = await secondsBlocked(executor, organisation, key);
  return Math.max(blocked, urgency === 'may' ? 60 / perMinute : 0.05);
}

/** For how many seconds the platform asked that nothing comes; 0: nothing is known against it. */
export async function secondsBlocked(executor: Executor, organisation: OrganisationId, key: string): Promise<number> {
  const [row] = await executor.query<{ seconds: number }>(
    `select extract(epoch from blocked_until - clock_timestamp())::float8 as seconds from rate_budget
     where organisation = $1 and key = $2 and blocked_until > clock_timestamp()`,
    [organisation, key],
  );
  return row?.seconds ?? 0;
}

/** The platform said 429: nobody takes from this budget for so many seconds, in whatever process. */
export async function blockBudget(
  executor: Executor,
  organisation: OrganisationId,
  key: string,
  seconds: number,
): Promise<void> {
  await executor.query(
    `insert into rate_budget as b (organisation, key, tokens, blocked_until)
     values ($1, $2, 0, clock_timestamp() + make_interval(secs => $3))
     on conflict (organisation, key) do update set blocked_until = greatest(b.blocked_until, excluded.blocked_until)`,
    [organisation, key, seconds],
  );
}
