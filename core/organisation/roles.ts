import { ConflictError, InvalidInputError, NotFoundError } from '../errors.ts';
import type { Database, Executor } from '../store/database.ts';
import { RoleEntity } from '../store/entities/organisation.ts';
import type { OrganisationId, RoleId } from '../store/ids.ts';
import { changeOrganisation } from './change-organisation.ts';
import { freeId } from './free-id.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';

/** A job description. `content` is markdown. */
export interface Role {
  id: RoleId;
  title: string;
  content: string;
  /** `thread`: each holder has a Desktop for each Thread; `worker`: one for all, watched by its managers only. */
  desktop: RoleDesktop;
  updatedAt: Date;
}

/** For what a Role's holders have a Desktop each. */
export const roleDesktops = ['thread', 'worker'] as const;
export type RoleDesktop = (typeof roleDesktops)[number];

const columns = 'id, title, content, desktop, updated_at as "updatedAt"';

/**
 * Makes a Role. Without an id it gets one from its title, with a number when that is taken.
 *
 * @throws ConflictError when the id that was asked for is taken.
 */
export async function createRole(
  database: Database,
  organisation: OrganisationId,
  input: { id?: RoleId | undefined; title: string; content: string; desktop?: RoleDesktop | undefined },
): Promise<{ id: RoleId; title: string }> {
  return await changeOrganisation(database, organisation, async (em) => {
    const isTaken = async (id: RoleId) => (await em.count(RoleEntity, { organisation, id })) > 0;
    if (input.id && (await isTaken(input.id)))
      throw new ConflictError(`there is a role "${input.id}" already: choose another id, or change it by update_role`);
    const id = input.id ?? (await freeId('r', input.title, isTaken));
    const { title, content, desktop = 'thread' } = input;
    em.create(RoleEntity, { organisation, id, title, content, desktop });
    return { id, title: input.title };
  });
}

/**
 * Changes what is said of a Role. Whoever holds it works by the new text from the next Activation on.
 *
 * @throws NotFoundError when the Role is unknown, InvalidInputError when nothing is to be changed.
 */
export async function updateRole(
  database: Database,
  organisation: OrganisationId,
  input: {
    role: RoleId;
    title?: string | undefined;
    content?: string | undefined;
    desktop?: RoleDesktop | undefined;
  },
): Promise<{ id: RoleId; title: string }> {
  const { role, title, content, desktop } = input;
  if (title === undefined && content === undefined && desktop === undefined)
    throw new InvalidInputError('say a new title, content or both (or "desktop")');
  return await changeOrganisation(database, organisation, async (em) => {
    const found = await em.findOne(RoleEntity, { organisation, id: role });
    if (!found) throw unknownRole(role);
    if (title !== undefined) found.title = title;
    if (content !== undefined) found.content = content;
    if (desktop !== undefined) found.desktop = desktop;
    return { id: role, title: found.title };
  });
}

/** @throws NotFoundError when the Role is unknown. */
export async function getRole(executor: Executor, organisation: OrganisationId, id: RoleId): Promise<Role> {
  const [role] = await executor.query<Role>(`select ${columns} from role where organisation = $1 and id = $2`, [
    organisation,
    id,
  ]);
  if (!role) throw unknownRole(id);
  return role;
}

/** A page of the Roles, without their contents. */
export async function listRoles(
  executor: Executor,
  organisation: OrganisationId,
  page: PageRequest,
): Promise<Page<Omit<Role, 'content'>>> {
  const rows = await executor.query<Omit<Role, 'content'>>(
    `select id, title, desktop, updated_at as "updatedAt" from role
     where organisation = $1 and ($2::text is null or id > $2) order by id limit $3`,
    [organisation, page.cursor ?? null, page.limit + 1],
  );
  return pageOf(rows, page.limit, (role) => role.id);
}

/** The one wording for a Role that isn't there. */
export function unknownRole(id: string): NotFoundError {
  return new NotFoundError(`unknown role "${id}": list_roles says which there are`);
}
