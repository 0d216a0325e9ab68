import type { Executor } from '../../../core/store/database.ts';

/** Makes every commit of an Event wait until they are freed: it is the commit itself that waits, after all statements have succeeded. */
export async function holdCommits(database: Executor): Promise<void> {
  await atCommit(
    database,
    `while exists (select from pg_class where relname = 'held_commits') loop perform pg_sleep(0.02); end loop`,
  );
  await database.query('create table held_commits ()');
}

/** Makes every commit of an Event fail. */
export async function failCommits(database: Executor): Promise<void> {
  await atCommit(database, `raise exception 'the commit fails, as the test wants it'`);
}

/** Commits are as they were. */
export async function freeCommits(database: Executor): Promise<void> {
  await database.query('drop table if exists held_commits');
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
