import { describe, expect, it } from 'vitest';
import { describe as inOneLine, nextAttempt, OutsideUnavailable, PermanentFailure } from './failure.ts';

const failed = new Error('it broke');

describe('the next attempt', () => {
  it('comes after 1, 5 and 30 s, and then never', () => {
    const delays = [0, 1, 2, 3].map((failures) => nextAttempt(failed, { failures, waitingSeconds: null }));
    expect(delays).toEqual([
      { kind: 'retry', delaySeconds: 1, failures: 1 },
      { kind: 'retry', delaySeconds: 5, failures: 2 },
      { kind: 'retry', delaySeconds: 30, failures: 3 },
      { kind: 'dead', failures: 4 },
    ]);
  });

  it('waits for what is away, doubling to five minutes, without a failure, for 24 hours', () => {
    const away = new OutsideUnavailable('connection refused');
    const wait = (waitingSeconds: number | null) => nextAttempt(away, { failures: 2, waitingSeconds });
    expect(wait(null)).toEqual({ kind: 'wait', delaySeconds: 1 });
    expect(wait(40)).toEqual({ kind: 'wait', delaySeconds: 40 });
    expect(wait(4000)).toEqual({ kind: 'wait', delaySeconds: 300 });
    expect(wait(24 * 3600)).toEqual({ kind: 'dead', failures: 2 });
  });

  it('obeys Retry-After', () => {
    const asked = new OutsideUnavailable('429', { retryAfterSeconds: 17 });
    expect(nextAttempt(asked, { failures: 0, waitingSeconds: 3 })).toEqual({ kind: 'wait', delaySeconds: 17 });
  });

  it('never comes when trying again cannot help', () => {
    expect(nextAttempt(new PermanentFailure('no such mailbox'), { failures: 0, waitingSeconds: null })).toEqual({
      kind: 'dead',
      failures: 1,
    });
  });
});

it('an error is told to a person in one short line', () => {
  expect(inOneLine(new Error('first\n   second'))).toBe('first second');
  expect(inOneLine(new Error(''))).toBe('no reason given');
  expect(inOneLine('x'.repeat(1000))).toHaveLength(300);
});
