import { NotFoundError } from '../errors.ts';
import type { Database, Executor } from '../store/database.ts';
import { PositionEntity, RoleEntity } from '../store/entities/organisation.ts';
import type { OrganisationId, PositionId, RoleId, WorkerId } from '../store/ids.ts';
import { changeOrganisation } from './change-organisation.ts';
import { freeId } from './free-id.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { unknownRole } from './roles.ts';

/** A seat: which Role it holds, whom it reports to, and who sits in it. */
export interface Position {
  id: PositionId;
  title: string;
  role: RoleId;
  reportsTo: PositionId | null;
  workers: WorkerId[];
}

/** @throws NotFoundError when the Role or the Position that it reports to is unknown. */
export async function createPosition(
  database: Database,
  organisation: OrganisationId,
  input: { title: string; role: RoleId; reportsTo?: PositionId | undefined },
): Promise<Omit<Position, 'workers'>> {
  return await changeOrganisation(database, organisation, async (em) => {
    const role = await em.findOne(RoleEntity, { organisation, id: input.role });
    if (!role) throw unknownRole(input.role);
    const reportsTo = input.reportsTo ? await em.findOne(PositionEntity, { organisation, id: input.reportsTo }) : null;
    if (input.reportsTo && !reportsTo) throw unknownPosition(input.reportsTo);
    const isTaken = async (id: string) => (await em.count(PositionEntity, { organisation, id })) > 0;
    const id = await freeId('p', input.title, isTaken);
    em.create(PositionEntity, { organisation, id, title: input.title, role, reportsTo });
    return { id, title: input.title, role: input.role, reportsTo: input.reportsTo ?? null };
  });
}

const position = `
  p.id, p.title, p.role, p.reports_to as "reportsTo",
  (select coalesce(jsonb_agg(w.id order by w.id), '[]') from worker w
    where w.organisation = p.organisation and w.position = p.id and w.dismissed_at is null) as workers`;

/** @throws NotFoundError when the Position is unknown. */
export async function getPosition(executor: Executor, organisation: OrganisationId, id: PositionId): Promise<Position> {
  const [found] = await executor.query<Position>(
    `select ${position} from "position" p where p.organisation = $1 and p.id = $2`,
    [organisation, id],
  );
  if (!found) throw unknownPosition(id);
  return found;
}

/** A page of the Positions. */
export async function listPositions(
  executor: Executor,
  organisation: OrganisationId,
  page: PageRequest,
): Promise<Page<Position>> {
  const rows = await executor.query<Position>(
    `select ${position} from "position" p
     where p.organisation = $1 and ($2::text is null or p.id > $2) order by p.id limit $3`,
    [organisation, page.cursor ?? null, page.limit + 1],
  );
  return pageOf(rows, page.limit, (found) => found.id);
}

/** The one wording for a Position that isn't there. */
export function unknownPosition(id: string): NotFoundError {
  return new NotFoundError(`unknown position "${id}": list_positions says which there are`);
}
