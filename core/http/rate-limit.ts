/** So much at once, then so much a second. */
export interface Rate {
  burst: number;
  perSecond: number;
}

/** Who has taken how much lately, by name. */
export interface RateLimit {
  /** @returns 0 when it was taken, else the whole seconds until there is so much: for TooManyRequestsError. `cost`: at most the burst */
  take(name: string, cost: number): number;
  /** What was taken and turned out not to be needed. */
  giveBack(name: string, amount: number): void;
  /** How many names are remembered now. */
  readonly size: number;
}

/**
 * A limit for each name, in this process alone (core/delivery/rate-budget.ts has one that all share, for what is asked of others). A name is
 * remembered until its budget is full again, `burst / perSecond` seconds, and costs nothing then.
 */
export function createRateLimit({ burst, perSecond }: Rate): RateLimit {
  /** What each had left at that time, the latest at the end. */
  const budgets = new Map<string, { left: number; at: number }>();
  const fullAfterMs = (burst / perSecond) * 1000;

  function leftOf(name: string, now: number): number {
    const budget = budgets.get(name);
    return budget ? Math.min(burst, budget.left + ((now - budget.at) / 1000) * perSecond) : burst;
  }

  function set(name: string, left: number, now: number): void {
    budgets.delete(name);
    budgets.set(name, { left, at: now });
    for (const [other, { at }] of budgets) {
      if (now - at < fullAfterMs) break;
      budgets.delete(other);
    }
  }

  return {
    take(name, cost) {
      const now = performance.now();
      const left = leftOf(name, now);
      if (left < cost) return Math.ceil((cost - left) / perSecond);
      set(name, left - cost, now);
      return 0;
    },
    giveBack(name, amount) {
      const now = performance.now();
      set(name, Math.min(burst, leftOf(name, now) + amount), now);
    },
    get size() {
      return budgets.size;
    },
  };
}
