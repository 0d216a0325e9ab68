/** The database that testDatabase() clones: migrated, and closed to connections. */
export const templateName = 'switchboard_template';

/** The same server's URL with another database. */
export function databaseUrl(serverUrl: string, database: string): string {
  return Object.assign(new URL(serverUrl), { pathname: `/${database}` }).href;
}
