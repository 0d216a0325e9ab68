import { defineEntity, p } from '@mikro-orm/postgresql';

/**
 * What is left of a platform's rate limit, shared by all core processes (core/delivery/rate-budget.ts). The table is unlogged: it
 * costs no flush, and is empty after a crash of the server, which only means that every budget is full again.
 */
export const RateBudgetEntity = defineEntity({
  name: 'RateBudget',
  tableName: 'rate_budget',
  properties: {
    organisation: p.text().primary(),
    key: p.text().primary(),
    tokens: p.double(),
    refilledAt: p.datetime().defaultRaw('now()'),
    /** The platform asked that nothing comes before this time. */
    blockedUntil: p.datetime().nullable(),
  },
});
