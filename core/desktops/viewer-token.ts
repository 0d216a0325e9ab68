import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { UnauthenticatedError } from '../errors.ts';
import type { DesktopId, FileId, OrganisationId, WorkerId } from '../store/ids.ts';
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

/** What the token of a file's link says: it opens that file for whoever reads the Thread in which it was posted. */
export interface FileClaims {
  organisation: OrganisationId;
  file: FileId;
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
const file = z.custom<FileId>((value) => typeof value === 'string' && value.startsWith('f-'));
const filePayload = z.object({
  organisation: z.string().min(1),
  file,
  mode: z.literal('file'),
  exp: z.number(),
});
const header = z.object({ header: z.object({ kid: z.string().max(100) }) });

/** Longer than any token that we make. */
const longest = 4096;

/** A JWT (ES256, RFC 7518 §3.4) that says this for so many seconds. */
export async function signToken(keys: SigningKeys, claims: ViewerClaims, seconds: number): Promise<string> {
  const { organisation, desktop, mode, subject, jti } = claims;
  const said = { organisation, mode, ...(desktop ? { desktop } : {}) };
  return await sign(keys, said, { jwtid: jti, expiresIn: seconds, ...(subject ? { subject } : {}) });
}

/** The same of a file's link. */
export async function signFileToken(keys: SigningKeys, claims: FileClaims, seconds: number): Promise<string> {
  const { organisation, file: named } = claims;
  return await sign(keys, { organisation, file: named, mode: 'file' }, { expiresIn: seconds });
}

/**
 * What a token says, if it is ours and its time is not over. Whether the link still counts is for the database to say.
 *
 * @throws UnauthenticatedError: `link_invalid` for what we have not signed, `link_expired`. Its message never holds the token.
 */
export async function readToken(keys: SigningKeys, token: string): Promise<ViewerClaims> {
  const { data } = payload.safeParse(await verify(keys, token));
  if (!data) throw invalid();
  const { organisation, desktop: shown, mode, sub, jti } = data;
  return { organisation, desktop: shown ?? null, mode, subject: sub ?? null, jti };
}

/** The same of the link of one file; a token that opens anything else is refused. @throws as {@link readToken} */
export async function readFileToken(keys: SigningKeys, token: string, wanted: string): Promise<FileClaims> {
  const { data } = filePayload.safeParse(await verify(keys, token, askForFile));
  if (data?.file !== wanted) throw invalid(askForFile);
  return { organisation: data.organisation, file: data.file };
}

async function sign(keys: SigningKeys, said: object, options: jwt.SignOptions): Promise<string> {
  const { kid, privateKey } = await keys.signer();
  return jwt.sign(said, privateKey, { ...options, algorithm, keyid: kid });
}

async function verify(keys: SigningKeys, token: string, what = askForDesktop): Promise<unknown> {
  const read = token.length <= longest ? header.safeParse(jwt.decode(token, { complete: true })) : undefined;
  const key = read?.success ? await keys.verifier(read.data.header.kid) : undefined;
  if (!key) throw invalid(what);
  try {
    return jwt.verify(token, key, { algorithms: [algorithm] });
  } catch (error) {
    throw error instanceof jwt.TokenExpiredError ? expired(what) : invalid(what);
  }
}

/** Whether a text says what our tokens say. Who has signed it is not looked at. */
export function isViewerToken(text: string): boolean {
  const said = jwt.decode(text);
  return payload.safeParse(said).success || filePayload.safeParse(said).success;
}

const askForDesktop = 'say `desktop` in the thread for a new one';
const askForFile = 'ask for the file again in its thread';

function invalid(what = askForDesktop): UnauthenticatedError {
  return new UnauthenticatedError(`this link is not valid: open it as it was sent, or ${what}`, 'link_invalid');
}

/** The one wording for a link whose time is over. `what` there is to do. */
export function expired(what = askForDesktop): UnauthenticatedError {
  return new UnauthenticatedError(`this link has expired: ${what}`, 'link_expired');
}
