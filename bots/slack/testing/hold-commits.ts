import type { Executor } from '../../../core/store/database.ts';

/** Makes every commit of an Event take so long: the work is done by the commit itself, after all statements have succeeded. */
export async function slowCommits(database: Executor, seconds: number): Promise<void> {
  await atCommit(database, `perform pg_sleep(${seconds})`);
}

/** Makes every commit of an Event fail. */
export async function failCommits(database: Executor): Promise<void> {
  await atCommit(database, `raise exception 'the commit fails, as the test wants it'`);
}

/** Commits are as they were. */
export async function freeCommits(database: Executor): Promise<void> {
  await database.query('drop function if exists at_commit cascade');
}

async function atCommit(database: Executor, statement: string): Promise<void> {
  await freeCommits(database);
  await database.query(
    `create function at_commit() returns trigger language plpgsql as $$ begin ${statement}; return null; end $$`,
  );
  await database.query(
    `create constraint trigger at_commit after insert on event deferrable initially deferred
     for each row execute function at_commit()`,
  );
}
