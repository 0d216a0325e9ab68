import { Migration20261120000001First } from './migration-20261120000001-first.ts';
import { Migration20261120000002RateBudget } from './migration-20261120000002-rate-budget.ts';
import { Migration20261121000001FirstStatistics } from './migration-20261121000001-first-statistics.ts';
import { Migration20261121000002Desktops } from './migration-20261121000002-desktops.ts';
import { Migration20261122000001WorkerNames } from './migration-20261122000001-worker-names.ts';
import { Migration20261122000002FilePieces } from './migration-20261122000002-file-pieces.ts';
import { Migration20261122000003OpenDeliveries } from './migration-20261122000003-open-deliveries.ts';

/** Every migration, oldest first. A name never changes once it has been released: the database remembers it. */
export const migrations = [
  { name: 'Migration20261120000001First', class: Migration20261120000001First },
  { name: 'Migration20261120000002RateBudget', class: Migration20261120000002RateBudget },
  { name: 'Migration20261121000001FirstStatistics', class: Migration20261121000001FirstStatistics },
  { name: 'Migration20261121000002Desktops', class: Migration20261121000002Desktops },
  { name: 'Migration20261122000001WorkerNames', class: Migration20261122000001WorkerNames },
  { name: 'Migration20261122000002FilePieces', class: Migration20261122000002FilePieces },
  { name: 'Migration20261122000003OpenDeliveries', class: Migration20261122000003OpenDeliveries },
];
