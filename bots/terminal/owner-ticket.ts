import jwt from 'jsonwebtoken';
import { deriveKey, type SecretKey } from '../../core/secrets/secret-key.ts';

const audience = 'switchboard terminal';
const lifeSeconds = 300;
/** Between cores on several machines, and the client on one of them. */
const clockToleranceSeconds = 60;

/**
 * A token that stands for the owner, good for five minutes at the terminal door and nowhere else. Whoever can read this
 * deployment's key can make one, without the database: that is how `npm run chat` gets in. (RFC 7519, HS256 under a key of its
 * own.)
 */
export function makeOwnerTicket(secretKey: SecretKey): string {
  return jwt.sign({}, keyOf(secretKey), { algorithm: 'HS256', audience, expiresIn: lifeSeconds });
}

/** False for whatever is no such ticket, is forged, or has expired. */
export function isOwnerTicket(secretKey: SecretKey, ticket: string): boolean {
  try {
    jwt.verify(ticket, keyOf(secretKey), {
      algorithms: ['HS256'],
      audience,
      clockTolerance: clockToleranceSeconds,
      maxAge: lifeSeconds,
    });
    return true;
  } catch {
    return false;
  }
}

function keyOf(secretKey: SecretKey): Buffer {
  return deriveKey(secretKey, 'terminal');
}
