import { Migration } from '@mikro-orm/migrations';

/** The rate limits of platforms, shared by all core processes. Unlogged: what it holds is not worth a flush. */
export class Migration20261120000002RateBudget extends Migration {
  override up(): void {
    this.addSql(
      `create unlogged table "rate_budget" ("organisation" text not null, "key" text not null, "tokens" double precision not null, "refilled_at" timestamptz not null default now(), "blocked_until" timestamptz null, primary key ("organisation", "key"))`,
    );
  }

  override down(): void {
    this.addSql('drop table if exists "rate_budget" cascade');
  }
}
