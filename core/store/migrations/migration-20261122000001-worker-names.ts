import { Migration } from '@mikro-orm/migrations';

/** An AI Worker is found by its name at the head of every message: not by comparing it with the names of all. */
export class Migration20261122000001WorkerNames extends Migration {
  override up(): void {
    this.addSql(
      `create index "worker_called_index" on worker (organisation, lower(name)) where kind = 'ai' and dismissed_at is null`,
    );
  }

  override down(): void {
    this.addSql(`drop index "worker_called_index"`);
  }
}
