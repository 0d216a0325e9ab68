import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { UnauthenticatedError } from '../../core/errors.ts';
import type { SigningKeys } from './signing-keys.ts';

/** What a token of the Bot Connector must say. */
export interface TokenPolicy {
  keys: SigningKeys;
  issuer: string;
  /** The bot's own app id. */
  audience: string;
}

/** What a verified token vouches for. */
export interface VerifiedToken {
  /** Where answers may be sent: the activity's `serviceUrl` must be the same. */
  serviceUrl: string;
}

/** Both clocks may be off ("Authentication with the Bot Connector API": industry-standard clock-skew is 5 minutes). */
const clockToleranceSeconds = 300;
/** The channel that the signing key must be endorsed for. */
const channel = 'msteams';

const claims = z.object({ exp: z.number(), serviceurl: z.string().min(1) });

/**
 * Verifies the Authorization header of a request from Teams, before anything of its body is read: scheme, algorithm (RS256, as the
 * Connector's metadata says), signature by an announced key that is endorsed for Teams, issuer, audience, `exp` and `nbf`.
 *
 * The SDK's own check is not used: it answers 500 for a tampered payload, a rogue key and a future `nbf`, takes keys without any
 * endorsement, and takes tokens of the Emulator's issuers as well.
 *
 * @throws UnauthenticatedError for whatever is wrong with it; the sentence does not repeat the token
 * @throws UnavailableError when the keys to check it with can't be fetched
 */
export async function verifyToken(header: string | undefined, policy: TokenPolicy): Promise<VerifiedToken> {
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(header ?? '')?.[1];
  if (!token) throw refused('no token of the Bot Connector came with it');
  const kid = keyIdOf(token);
  const found = kid === undefined ? undefined : await policy.keys.find(kid);
  if (!found) throw refused('its token is signed with a key that the Bot Connector does not announce');
  if (!found.endorsements.includes(channel))
    throw refused('its token is signed with a key that is not endorsed for Teams');
  let payload: unknown;
  try {
    payload = jwt.verify(token, found.key, {
      algorithms: ['RS256'],
      issuer: policy.issuer,
      audience: [policy.audience, policy.audience.toLowerCase()],
      clockTolerance: clockToleranceSeconds,
    });
  } catch (cause) {
    throw refused(`its token is not valid (${reasonOf(cause)})`, cause);
  }
  const verified = claims.safeParse(payload);
  if (!verified.success) throw refused('its token lacks the claims exp and serviceurl');
  return { serviceUrl: verified.data.serviceurl };
}

/** The token is for another place than the activity says: somebody sent one on. */
export function checkServiceUrl(token: VerifiedToken, serviceUrl: string): void {
  if (token.serviceUrl !== serviceUrl) throw refused('its token is for another serviceUrl');
}

function keyIdOf(token: string): string | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header.kid;
  } catch {
    return undefined;
  }
}

/** jsonwebtoken's own words, "jwt expired" or "invalid signature", without the values that it expected. */
function reasonOf(cause: unknown): string {
  return cause instanceof jwt.JsonWebTokenError ? cause.message.replace(/\. expected.*/s, '') : 'it cannot be read';
}

function refused(reason: string, cause?: unknown): UnauthenticatedError {
  return new UnauthenticatedError(`this activity is not taken: ${reason}`, 'unauthenticated', { cause });
}
