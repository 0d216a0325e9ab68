import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { NotFoundError, UnavailableError } from '../errors.ts';
import type { Database, Executor } from '../store/database.ts';
import { OrganisationEntity } from '../store/entities/organisation.ts';
import type { OrganisationId } from '../store/ids.ts';

/**
 * Runs one change of an Organisation as a unit of work: all of it or nothing, one at a time in each Organisation. Under that lock
 * a name that was free stays free, and the last of something stays the last.
 *
 * @throws NotFoundError when the Organisation is unknown, UnavailableError when the database is away.
 */
export async function changeOrganisation<T>(
  database: Database,
  organisation: OrganisationId,
  change: (em: EntityManager) => Promise<T>,
): Promise<T> {
  try {
    return await database.em().transactional(async (em) => {
      const options = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;
      if (!(await em.findOne(OrganisationEntity, { id: organisation }, options))) throw unknown(organisation);
      return await change(em);
    });
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** The lock of {@link changeOrganisation}, for a change that is clearer in SQL. Take it before any other row. */
export async function lockOrganisation(tx: Executor, organisation: OrganisationId): Promise<void> {
  const rows = await tx.query('select 1 from organisation where id = $1 for update', [organisation]);
  if (rows.length === 0) throw unknown(organisation);
}

function unknown(organisation: OrganisationId): NotFoundError {
  return new NotFoundError(`unknown organisation "${organisation}"`);
}

/** SQLSTATE classes (connection, resources, shutdown, system) and system errors that mean "the server is not there". */
const awayCodes = /^(08...|53...|57P..|58...|ECONN.*|EPIPE|ENOENT|ETIMEDOUT|EAI_.*)$/;

/** The ORM's own connections do not pass through core/store/database.ts, which does this for plain SQL. */
function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UnavailableError) return error;
  const code = 'code' in error ? String(error.code) : '';
  const away = awayCodes.test(code) || /^(Connection terminated|timeout exceeded|Client has)/.test(error.message);
  if (!away) return error;
  return new UnavailableError('the database does not answer: try again in a moment', 'database_unavailable', {
    cause: error,
  });
}
