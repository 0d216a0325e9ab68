import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { UnauthenticatedError } from '../errors.ts';
import type { DesktopId, OrganisationId, WorkerId } from '../store/ids.ts';
import type { SigningKeys } from './signing-keys.ts';

/** What a link is good for: one Desktop to watch or control, or the list of all that a Worker may see. */
export type LinkMode = 'watch' | 'control' | 'wall';

/** What a token says. Nothing of it is secret but the whole. */
export interface ViewerClaims {
  organisation: OrganisationId;
  /** Null: the wall. */
  desktop: DesktopId | null;
  mode: LinkMode;
  /** Whose own it is; null: whoever reads the Thread in which it was posted. */
  subject: WorkerId | null;
  /** Its row in `viewer_link`. */
  jti: string;
}

/** Pinned, so that a token cannot choose how it is checked. */
const algorithm = 'ES256';

const worker = z.custom<WorkerId>((value) => typeof value === 'string' && value.startsWith('w-'));
const desktop = z.custom<DesktopId>((value) => typeof value === 'string' && value.startsWith('d-'));
const payload = z.object({
  organisation: z.string().min(1),
  desktop: desktop.optional(),
  mode: z.enum(['watch', 'control', 'wall']),
  sub: worker.optional(),
  jti: z.string().min(1).max(100),
  exp: z.number(),
});
const header = z.object({ header: z.object({ kid: z.string().max(100) }) });

/** Longer than any token that we make. */
const longest = 4096;

/** A JWT (ES256, RFC 7518 §3.4) that says this for so many seconds. */
export async function signToken(keys: SigningKeys, claims: ViewerClaims, seconds: number): Promise<string> {
  const { kid, privateKey } = await keys.signer();
  const { organisation, desktop, mode, subject, jti } = claims;
  return jwt.sign({ organisation, mode, ...(desktop ? { desktop } : {}) }, privateKey, {
    algorithm,
    keyid: kid,
    jwtid: jti,
    expiresIn: seconds,
    ...(subject ? { subject } : {}),
  });
}

/**
 * What a token says, if it is ours and its time is not over. Whether the link still counts is for the database to say.
 *
 * @throws UnauthenticatedError: `link_invalid` for what we have not signed, `link_expired`. Its message never holds the token.
 */
export async function readToken(keys: SigningKeys, token: string): Promise<ViewerClaims> {
  const read = token.length <= longest ? header.safeParse(jwt.decode(token, { complete: true })) : undefined;
  const key = read?.success ? await keys.verifier(read.data.header.kid) : undefined;
  if (!key) throw invalid();
  let verified: unknown;
  try {
    verified = jwt.verify(token, key, { algorithms: [algorithm] });
  } catch (error) {
    throw error instanceof jwt.TokenExpiredError ? expired() : invalid();
  }
  const { data } = payload.safeParse(verified);
  if (!data) throw invalid();
  const { organisation, desktop: shown, mode, sub, jti } = data;
  return { organisation, desktop: shown ?? null, mode, subject: sub ?? null, jti };
}

/** Whether a text says what our tokens say. Who has signed it is not looked at. */
export function isViewerToken(text: string): boolean {
  return payload.safeParse(jwt.decode(text)).success;
}

function invalid(): UnauthenticatedError {
  return new UnauthenticatedError(
    'this link is not valid: open it as it was sent, or say `desktop` in the thread for a new one',
    'link_invalid',
  );
}

/** The one wording for a link whose time is over. */
export function expired(): UnauthenticatedError {
  return new UnauthenticatedError('this link has expired: say `desktop` in the thread for a new one', 'link_expired');
}
