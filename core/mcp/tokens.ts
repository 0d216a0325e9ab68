import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { UnauthenticatedError } from '../errors.ts';
import { unknownWorker } from '../organisation/workers.ts';
import { deriveKey, type SecretKey } from '../secrets/secret-key.ts';
import type { Executor } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';

/** Whom a bearer token stands for. */
export interface Bearer {
  organisation: OrganisationId;
  worker: WorkerId;
}

/** Pinned, so that a token cannot choose how it is checked. */
const algorithm = 'HS256';
const purpose = 'worker tokens';

const claims = z.object({
  organisation: z.string().min(1),
  worker: z.custom<WorkerId>((value) => typeof value === 'string' && value.startsWith('w-')),
  version: z.int(),
});

/**
 * A bearer token for a Worker's MCP endpoint: a JWT under a key derived from SECRET_KEY, so that every core takes it and none has
 * to store it. It lasts until the Worker is dismissed or its `tokenVersion` raised.
 *
 * @throws NotFoundError when the Worker is unknown or was dismissed.
 */
export async function makeToken(
  executor: Executor,
  secretKey: SecretKey,
  organisation: OrganisationId,
  worker: WorkerId,
): Promise<string> {
  const version = await versionOf(executor, { organisation, worker });
  if (version === undefined) throw unknownWorker(worker);
  return jwt.sign({ organisation, worker, version }, deriveKey(secretKey, purpose), {
    algorithm,
    jwtid: randomUUID(),
  });
}

/**
 * Whom an Authorization header stands for.
 *
 * @throws UnauthenticatedError when there is no token, it isn't ours, or it has become void.
 */
export async function verifyToken(
  executor: Executor,
  secretKey: SecretKey,
  authorization: string | undefined,
): Promise<Bearer> {
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (!token)
    throw new UnauthenticatedError('say who you are: Authorization: Bearer <token> (npx switchboard token <worker>)');
  const read = claims.safeParse(payloadOf(token, deriveKey(secretKey, purpose)));
  const version = read.success ? await versionOf(executor, read.data) : undefined;
  if (!read.success || version !== read.data.version)
    throw new UnauthenticatedError(
      'this token is not valid (any more): npx switchboard token <worker> makes a new one',
    );
  const { organisation, worker } = read.data;
  return { organisation, worker };
}

function payloadOf(token: string, key: Buffer): unknown {
  try {
    return jwt.verify(token, key, { algorithms: [algorithm] });
  } catch {
    return undefined;
  }
}

async function versionOf(executor: Executor, { organisation, worker }: Bearer): Promise<number | undefined> {
  const [row] = await executor.query<{ version: number }>(
    `select token_version as version from worker where organisation = $1 and id = $2 and dismissed_at is null`,
    [organisation, worker],
  );
  return row?.version;
}
