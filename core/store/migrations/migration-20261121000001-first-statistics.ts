import { Migration } from '@mikro-orm/migrations';

/** How many distinct values a column has: a number, or, below zero, minus their share of the rows (-1: all differ). */
const distinct = {
  activation: { organisation: 1, id: -1, worker: 20, stream: 50, thread: -0.5, origin: -0.9 },
  binding: { organisation: 1, id: -1, stream: -0.9, kind: 4, external_id: -1 },
  delivery: { organisation: 1, id: -1, binding: 50, thread: -0.5, event: -0.9, activation: -0.9 },
  event: { organisation: 1, id: -1, stream: 50, position: -0.5, thread: -0.3, author: 50, origin: -0.5 },
  grant: { organisation: 1, worker: -0.1, tool: 30 },
  identity: { organisation: 1, platform: 4, external_id: -1, worker: -0.9 },
  lane: { organisation: 1, kind: 2, owner: 50, thread: -0.5 },
  participant: { organisation: 1, thread: -0.5, worker: 50 },
  position: { organisation: 1, id: -1 },
  rate_budget: { organisation: 1, key: -1 },
  receipt: { organisation: 1, binding: 50, external_id: -1, event: -0.5 },
  role: { organisation: 1, id: -1 },
  step: { organisation: 1, activation: -0.3, number: 10, stream: 20, position: -0.9 },
  stream: { organisation: 1, id: -1 },
  subscription: { organisation: 1, worker: -0.5, stream: -0.5 },
  thread: { organisation: 1, id: -1, stream: 50 },
  thread_binding: { organisation: 1, binding: 50, external_id: -1, thread: -0.9 },
  trigger: { organisation: 1, event: -0.9, worker: 20, thread: -0.5, activation: -0.5 },
  worker: { organisation: 1, id: -1, kind: 2 },
} as const;

/**
 * What the planner is to think of the tables until their first ANALYZE, which is no sooner than a minute after they fill. Without any
 * statistics it takes an organisation for a two-hundredth of a table, finds `organisation = $1` as selective as a whole key, and
 * walks through everything for each row that it looks up; such plans are kept by prepared statements. PostgreSQL 18 can be told
 * (pg_restore_attribute_stats); older ones learn it from autovacuum. What has been analysed already is left as it is.
 */
export class Migration20261121000001FirstStatistics extends Migration {
  override up(): void {
    const calls = Object.entries(distinct).flatMap(([table, columns]) =>
      Object.entries(columns).map(
        ([column, count]) =>
          `if not exists (select 1 from pg_stats where schemaname = current_schema() and tablename = '${table}' and attname = '${column}')
           then perform pg_restore_attribute_stats('schemaname', current_schema()::text, 'relname', '${table}', 'attname', '${column}',
             'inherited', false, 'null_frac', 0::real, 'avg_width', 16, 'n_distinct', ${count}::real); end if;`,
      ),
    );
    this.addSql(
      `do $$ begin if current_setting('server_version_num')::int >= 180000 then ${calls.join('\n')} end if; end $$`,
    );
  }

  /** What is known of a table goes with it. */
  override down(): void {
    this.addSql('select 1');
  }
}
