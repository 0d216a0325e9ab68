import { Migration } from '@mikro-orm/migrations';

const index = 'create index "delivery_open_index" on delivery (organisation, binding, thread, position) where';
const open = `state in ('draft', 'queued', 'sending', 'waiting')`;

/** The index of open Deliveries serves only statements that ask for open ones in so many words (openDelivery, entities/dispatch.ts). */
export class Migration20261122000003OpenDeliveries extends Migration {
  override up(): void {
    this.addSql('drop index "delivery_open_index"');
    this.addSql(`${index} (${open}) is true`);
  }

  override down(): void {
    this.addSql('drop index "delivery_open_index"');
    this.addSql(`${index} ${open}`);
  }
}
