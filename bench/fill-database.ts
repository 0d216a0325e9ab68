import type { Pool } from 'pg';

/** How full a house is that has been lived in for years. */
export const lived = { streams: 10_000, workers: 1_000, events: 1_000_000 };

/**
 * Fills the default Organisation: Streams with a Thread each, AI Workers that listen there, and Events. By SQL, because the way
 * through append() is what is measured afterwards.
 */
export async function fillDatabase(pool: Pool): Promise<void> {
  const { streams, workers, events } = lived;
  await pool.query(
    `insert into worker (organisation, id, name, kind) select 'default', 'w-bench-' || n, 'Bench ' || n, 'ai' from generate_series(1, $1::int) n`,
    [workers],
  );
  await pool.query(
    `insert into stream (organisation, id, name, position) select 'default', 's-bench-' || n, 'bench ' || n, $2::int
     from generate_series(1, $1::int) n`,
    [streams, events / streams],
  );
  await pool.query(
    `insert into subscription (organisation, worker, stream, mode)
     select 'default', 'w-bench-' || (1 + n % $2::int), 's-bench-' || n, 'mentions' from generate_series(1, $1::int) n`,
    [streams, workers],
  );
  await pool.query(
    `insert into thread (organisation, id, stream) select 'default', 't-bench-' || n, 's-bench-' || n from generate_series(1, $1::int) n`,
    [streams],
  );
  await pool.query(
    `insert into lane (organisation, kind, owner, thread) select 'default', 'activation', 'w-bench-' || (1 + n % $2::int), 't-bench-' || n
     from generate_series(1, $1::int) n`,
    [streams, workers],
  );
  const perStatement = 100_000;
  for (let from = 0; from < events; from += perStatement)
    await pool.query(
      `with n as (select generate_series($1::int, $2::int) as n), e as (
         insert into event (organisation, id, stream, position, thread, author, source_kind, origin, body)
         select 'default', 'e-bench-' || n, 's-bench-' || (1 + n % $3::int), 1 + n / $3::int, 't-bench-' || (1 + n % $3::int), 'w-owner', 'human',
           'e-bench-' || n, 'Message ' || n || ' about the weather, the parking garage and topic ' || n % 977 from n
       ), r as (
         insert into receipt (organisation, binding, external_id, event) select 'default', 'b-bench', 'bench-' || n, 'e-bench-' || n from n
       )
       insert into trigger (organisation, event, worker, thread, position, state)
       select 'default', 'e-bench-' || n, 'w-bench-' || (1 + n % 1000), 't-bench-' || (1 + n % $3::int), 1 + n / $3::int, 'done' from n
       where n % 10 = 0`,
      [from, from + perStatement - 1, streams],
    );
  // It has been written over years.
  await tidyDatabase(pool);
}

/** After much was written: neither autovacuum nor the checkpoint of it belongs to what is measured next. */
export async function tidyDatabase(pool: Pool): Promise<void> {
  await pool.query('vacuum (analyze)');
  await pool.query('checkpoint');
}
