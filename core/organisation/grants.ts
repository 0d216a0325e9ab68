import { ConflictError } from '../errors.ts';
import type { Database, Executor } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';
import { lockOrganisation } from './change-organisation.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';

/** (worker, tool): the Worker sees the tool and may call it. */
export interface Grant {
  /** `w-ada/publish`: the Worker and the tool. */
  id: string;
  worker: WorkerId;
  tool: string;
}

/** The names of the tools that a Worker holds, sorted. None when it is unknown or was dismissed. */
export async function grantedTools(
  executor: Executor,
  organisation: OrganisationId,
  worker: WorkerId,
): Promise<string[]> {
  const rows = await executor.query<{ tool: string }>(grantsHeld('$1', '$2'), [organisation, worker]);
  return rows.map((row) => row.tool);
}

/** SQL: the names of the tools that a Worker holds, a row each, sorted. Arguments are SQL expressions. */
export function grantsHeld(organisation: string, worker: string): string {
  return `select g.tool from "grant" g join worker w on w.organisation = g.organisation and w.id = g.worker
     where g.organisation = ${organisation} and g.worker = ${worker} and w.dismissed_at is null order by g.tool`;
}

/** Those of `workers` that do not hold every one of `tools`, sorted. An unknown or dismissed Worker holds nothing. */
export async function lackingGrants(
  executor: Executor,
  organisation: OrganisationId,
  workers: readonly WorkerId[],
  tools: readonly string[],
): Promise<WorkerId[]> {
  const rows = await executor.query<{ id: WorkerId }>(
    `select asked.id from unnest($2::text[]) asked(id)
     where (select count(*) from "grant" g join worker w on w.organisation = g.organisation and w.id = g.worker
            where g.organisation = $1 and g.worker = asked.id and w.dismissed_at is null and g.tool = any($3::text[]))
           < (select count(distinct tool) from unnest($3::text[]) tool)
     order by 1`,
    [organisation, workers, tools],
  );
  return rows.map((row) => row.id);
}

/** Gives a Worker the tools; those that it holds already stay. Returns which were new. */
export async function grantTools(
  executor: Executor,
  organisation: OrganisationId,
  worker: WorkerId,
  tools: readonly string[],
): Promise<string[]> {
  const rows = await executor.query<{ tool: string }>(
    `insert into "grant" (organisation, worker, tool) select $1, $2, t from unnest($3::text[]) t
     on conflict do nothing returning tool`,
    [organisation, worker, [...new Set(tools)].sort()],
  );
  return rows.map((row) => row.tool);
}

/**
 * Takes the tools from a Worker. Returns which it held.
 *
 * @throws ConflictError when nobody would be left to grant anything.
 */
export async function revokeTools(
  database: Database,
  organisation: OrganisationId,
  worker: WorkerId,
  tools: readonly string[],
): Promise<string[]> {
  return await database.transaction(async (tx) => {
    await lockOrganisation(tx, organisation);
    if (tools.includes('grant')) await refuseLastGrantor(tx, organisation, worker);
    const rows = await tx.query<{ tool: string }>(
      `delete from "grant" where organisation = $1 and worker = $2 and tool = any($3::text[]) returning tool`,
      [organisation, worker, tools],
    );
    return rows.map((row) => row.tool).sort();
  });
}

/**
 * Refuses to take from `worker` what nobody else holds: the right to grant. Call it under the Organisation's lock.
 *
 * @throws ConflictError
 */
export async function refuseLastGrantor(tx: Executor, organisation: OrganisationId, worker: WorkerId): Promise<void> {
  const holders = await tx.query<{ worker: WorkerId }>(
    `select g.worker from "grant" g join worker w on w.organisation = g.organisation and w.id = g.worker
     where g.organisation = $1 and g.tool = 'grant' and w.dismissed_at is null limit 2`,
    [organisation],
  );
  if (holders.length === 1 && holders[0]?.worker === worker)
    throw new ConflictError(`${worker} is the last who may grant: grant "grant" to somebody else first`);
}

/** A page of the Grants, of one Worker or of all. */
export async function listGrants(
  executor: Executor,
  organisation: OrganisationId,
  request: PageRequest & { worker?: WorkerId | undefined; tool?: string | undefined },
): Promise<Page<Grant>> {
  const rows = await executor.query<Grant>(
    `select g.worker || '/' || g.tool as id, g.worker, g.tool
     from "grant" g join worker w on w.organisation = g.organisation and w.id = g.worker
     where g.organisation = $1 and w.dismissed_at is null
       and ($2::text is null or g.worker = $2) and ($3::text is null or g.tool = $3)
       and ($4::text is null or g.worker || '/' || g.tool > $4)
     order by 1 limit $5`,
    [organisation, request.worker ?? null, request.tool ?? null, request.cursor ?? null, request.limit + 1],
  );
  return pageOf(rows, request.limit, (grant) => grant.id);
}
