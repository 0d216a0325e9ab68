import type { Request } from 'express';
import { ForbiddenError, UnauthenticatedError } from '../../../core/errors.ts';
import { type Bearer, verifyToken } from '../../../core/mcp/tokens.ts';
import { defaultOrganisation, ownerWorker } from '../../../core/organisation/seed.ts';
import type { SecretKey } from '../../../core/secrets/secret-key.ts';
import type { Executor } from '../../../core/store/database.ts';
import { isOwnerTicket } from '../owner-ticket.ts';

/** The person that a request comes from. */
export interface Caller extends Bearer {
  name: string;
}

/**
 * Who asks: the owner by a ticket made from this deployment's key, or any person by their bearer token (`npx switchboard token`).
 *
 * @throws UnauthenticatedError without a token or with a wrong one, ForbiddenError when it is an AI Worker's: agents have their
 * MCP endpoint.
 */
export async function authenticate(executor: Executor, secretKey: SecretKey, request: Request): Promise<Caller> {
  const { authorization } = request.headers;
  const ticket = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
  const bearer = isOwnerTicket(secretKey, ticket)
    ? { organisation: defaultOrganisation, worker: ownerWorker }
    : await verifyToken(executor, secretKey, authorization);
  const [found] = await executor.query<{ name: string; kind: 'human' | 'ai' }>(
    'select name, kind from worker where organisation = $1 and id = $2 and dismissed_at is null',
    [bearer.organisation, bearer.worker],
  );
  if (!found) throw new UnauthenticatedError(`${bearer.worker} is no Worker of this organisation (any more)`);
  if (found.kind !== 'human') throw new ForbiddenError('the terminal is for people: an agent has its MCP endpoint');
  return { ...bearer, name: found.name };
}
