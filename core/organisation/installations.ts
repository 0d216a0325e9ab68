import { ConflictError } from '../errors.ts';
import type { Executor } from '../store/database.ts';
import { newId, type OrganisationId } from '../store/ids.ts';

/** What leads to an Organisation from outside: a Slack workspace, an Entra tenant, a mail domain. */
export interface Installation {
  kind: string;
  externalId: string;
}

/** The Organisation that an Installation belongs to, or null: what comes from there is counted and stored nowhere. */
export async function findInstallation(executor: Executor, installation: Installation): Promise<OrganisationId | null> {
  const [row] = await executor.query<{ organisation: OrganisationId }>(
    `select organisation from installation where kind = $1 and external_id = $2`,
    [installation.kind, installation.externalId],
  );
  return row?.organisation ?? null;
}

/**
 * Maps an Installation to an Organisation. Again for the same one is nothing new.
 *
 * @throws ConflictError when it belongs to another Organisation: a message leads to exactly one.
 */
export async function addInstallation(
  executor: Executor,
  organisation: OrganisationId,
  installation: Installation,
): Promise<void> {
  const { kind, externalId } = installation;
  const id = `i-${newId('b').slice(2)}`;
  await executor.query(
    `insert into installation (organisation, id, kind, external_id) values ($1, $2, $3, $4) on conflict do nothing`,
    [organisation, id, kind, externalId],
  );
  const owner = await findInstallation(executor, installation);
  if (owner !== organisation)
    throw new ConflictError(`${kind} "${externalId}" belongs to another organisation already`);
}
