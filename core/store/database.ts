import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { DatabaseError, Pool, type PoolClient, TypeOverrides } from 'pg';
import { UnavailableError } from '../errors.ts';
import { OneWriteSocket } from './one-write-socket.ts';
import { openOrm } from './orm.ts';

/** Runs SQL: the pool outside a transaction, one connection within. Rows come typed as the caller says, unchecked. */
export interface Executor {
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A statement and its values. */
export type Statement = readonly [text: string, values?: readonly unknown[]];

/** A statement for each kind of row. */
export type Statements<Rows extends readonly unknown[]> = { [n in keyof Rows]: Statement };
/** What these statements answer with, in their order. */
export type RowsOf<Rows extends readonly unknown[]> = { [n in keyof Rows]: Rows[n][] };

/**
 * One transaction. Queries that are made without awaiting the one before are sent together, run in order, and fail together: what
 * follows a failed one is refused by the server.
 */
export interface Transaction extends Executor {
  /**
   * The last statements and the commit, in one round trip. The commit does not wait for what they come to: a statement whose effect
   * depends on another's must say so itself. What is queried behind it, at once, is part of the same round trip and sees what was
   * committed.
   */
  commitWith<Rows extends readonly unknown[]>(...statements: Statements<Rows>): Promise<RowsOf<Rows>>;
}

/** One database: plain SQL for the hot paths, the ORM for the organisation's tables. */
export interface Database extends Executor {
  readonly url: string;
  readonly orm: MikroORM;
  /** A fresh unit of work of the ORM. Never shared between requests. */
  em(): EntityManager;
  /** Runs `work` in one READ COMMITTED transaction; whatever it throws rolls back. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const int8 = 20;
const numeric = 1700;

/**
 * A process that is stopped or cut off in the middle of a transaction would keep its rows locked, the Stream's above all, and with
 * them every other core: the server ends such a session. Well below the lease (core/dispatch/lane.ts), in milliseconds.
 */
const begin = `begin; set local idle_in_transaction_session_timeout = 5000`;

/**
 * Our statements look up whole keys: planning them anew for each set of values takes longer than running them and finds nothing. So a
 * plan is kept, and in a new house it was made for empty tables, where reading all of a table costs nothing: it must not be chosen,
 * because until autovacuum has looked at the tables, a minute or more later, nobody takes it back (early-plans.test.ts). Up to PostgreSQL 17 a plan
 * that has no other way seems so dear then that it would be compiled each time.
 */
const planning = `set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set jit = off`;

/** Counts and sums come as numbers: nothing here reaches 2^53. */
const typeOverrides = new TypeOverrides();
typeOverrides.setTypeParser(int8, Number);
typeOverrides.setTypeParser(numeric, Number);

/**
 * Connects to a database that has been migrated. `connections` is the size of the pool for plain SQL (default 10).
 *
 * @throws UnavailableError from every query while the server can't be reached; the pool connects again by itself.
 */
export async function openDatabase(url: string, options: { connections?: number } = {}): Promise<Database> {
  const pool = new Pool({
    connectionString: url,
    max: options.connections ?? 10,
    types: typeOverrides,
    application_name: 'switchboard',
    connectionTimeoutMillis: 10_000,
    // Statements of a transaction that don't wait for one another's results go out together.
    pipeline: true,
    stream: () => new OneWriteSocket(),
  });
  // A dropped idle connection is an 'error' event, fatal without a listener; the query in flight rejects by itself.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    client.query(planning).catch(() => undefined);
  });
  const orm = await openOrm(url);

  async function transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await connectOf(pool);
    let broken: Error | undefined;
    let committing: Promise<unknown> | undefined;
    const tx: Transaction = {
      query: (text, values) => run(client, text, values),
      async commitWith(...statements) {
        const rows = statements.map(([text, values]) => run(client, text, values));
        committing = client.query('commit');
        const [results] = await Promise.all([Promise.all(rows), committing]);
        return results as never;
      },
    };
    try {
      // The first query does not wait for it. Both have ended before the connection is given back.
      const [begun, worked] = await Promise.allSettled([client.query(begin), (async () => await work(tx))()]);
      if (begun.status === 'rejected') throw begun.reason;
      if (worked.status === 'rejected') throw worked.reason;
      if (!committing) await client.query('commit');
      return worked.value;
    } catch (error) {
      try {
        await client.query('rollback');
      } catch (rollbackError) {
        // The connection is gone, and with it the transaction: give it back as broken.
        broken = asError(rollbackError);
      }
      throw asUnavailable(error);
    } finally {
      client.release(broken);
    }
  }

  return {
    url,
    orm,
    em: () => orm.em.fork(),
    async query(text, values) {
      const client = await connectOf(pool);
      let broken: Error | undefined;
      try {
        return await run(client, text, values);
      } catch (error) {
        // A refusal of the statement says nothing against the connection, which keeps its prepared statements.
        broken = error instanceof DatabaseError ? undefined : asError(error);
        throw error;
      } finally {
        client.release(broken);
      }
    },
    transaction,
    close: async () => {
      await orm.close();
      await pool.end();
    },
  };
}

async function connectOf(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw asUnavailable(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

async function run<Row>(client: PoolClient, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  try {
    const result = await client.query({ name: statementName(text), text, values: [...values] });
    return result.rows as Row[];
  } catch (error) {
    throw asUnavailable(error);
  }
}

const statementNames = new Map<string, string>();

/** Texts are constants, so that their number is small; one that is made at run time must not vary without bound. */
const mostStatements = 500;

/**
 * The name under which a connection keeps a statement prepared: planning the append's statement takes longer than running it.
 * Undefined when there are too many texts to keep.
 */
function statementName(text: string): string | undefined {
  let name = statementNames.get(text);
  if (name === undefined && statementNames.size < mostStatements) {
    name = `s${statementNames.size + 1}`;
    statementNames.set(text, name);
  }
  return name;
}

/** SQLSTATE classes that mean "the server is not there", not "the query is wrong": connection, shutdown, resources. */
const unavailableStates = /^(08(?!P01)|53|57P|58)/;

function asUnavailable(error: unknown): unknown {
  if (error instanceof DatabaseError) {
    return unavailableStates.test(error.code ?? '') ? unavailable(error) : error;
  }
  if (error instanceof Error && ('code' in error || /terminat|timeout|connection|ended/i.test(error.message))) {
    if (error instanceof UnavailableError) return error;
    const code = 'code' in error ? String(error.code) : '';
    if (
      /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EAI_)/.test(code) ||
      /terminat|timeout|Connection|Client has/.test(error.message)
    )
      return unavailable(error);
  }
  return error;
}

function unavailable(cause: Error): UnavailableError {
  return new UnavailableError('the database does not answer: try again in a moment', 'database_unavailable', { cause });
}

/** True when the same may well succeed in a moment: the server is away, or chose this transaction to end a deadlock (40P01, 40001). */
export function mayPass(error: unknown): boolean {
  return (
    error instanceof UnavailableError || (error instanceof DatabaseError && /^40(P01|001)$/.test(error.code ?? ''))
  );
}

/** True when `error` says that a row with this unique key exists already (SQLSTATE 23505). */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return (
    error instanceof DatabaseError &&
    error.code === '23505' &&
    (constraint === undefined || error.constraint === constraint)
  );
}
