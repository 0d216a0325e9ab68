import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { deriveKey } from '../../core/secrets/secret-key.ts';
import { isOwnerTicket, makeOwnerTicket } from './owner-ticket.ts';

const secretKey = createSecretKey('a secret key that is only for tests', 'utf8');
const other = createSecretKey('another secret key, of another house', 'utf8');

afterEach(() => void vi.useRealTimers());

describe("an owner's ticket", () => {
  it('is good under the key that made it, and under no other', () => {
    const ticket = makeOwnerTicket(secretKey);
    expect(isOwnerTicket(secretKey, ticket)).toBe(true);
    expect(isOwnerTicket(other, ticket)).toBe(false);
  });

  it('is good for five minutes, and a minute more for clocks that differ', () => {
    vi.useFakeTimers({ now: 0 });
    const ticket = makeOwnerTicket(secretKey);
    vi.setSystemTime(5 * 60_000);
    expect(isOwnerTicket(secretKey, ticket)).toBe(true);
    vi.setSystemTime(6 * 60_000 + 1000);
    expect(isOwnerTicket(secretKey, ticket)).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['no token at all', 'nonsense'],
    ['an unsigned one', jwt.sign({}, '', { algorithm: 'none', audience: 'switchboard terminal' })],
    ['one for something else', jwt.sign({}, deriveKey(secretKey, 'terminal'), { audience: 'else' })],
    [
      'one without an end',
      jwt.sign({}, deriveKey(secretKey, 'terminal'), { audience: 'switchboard terminal', noTimestamp: true }),
    ],
    ['one under the key itself', jwt.sign({}, secretKey, { audience: 'switchboard terminal', expiresIn: 60 })],
  ])('is not %s', (_what, token) => {
    expect(isOwnerTicket(secretKey, token)).toBe(false);
  });
});
