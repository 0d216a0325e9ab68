import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { entities } from './entities/index.ts';
import { migrations } from './migrations/index.ts';

/** The ORM on one database. It keeps a few connections of its own; the caller closes it (`orm.close()`). */
export async function openOrm(url: string): Promise<MikroORM> {
  return MikroORM.init({
    entities,
    clientUrl: url,
    pool: { min: 0, max: 4 },
    extensions: [Migrator],
    migrations: { migrationsList: migrations, tableName: 'migration', snapshot: false, silent: true },
    logger: () => undefined,
  });
}
