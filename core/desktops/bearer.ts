import type { IncomingMessage } from 'node:http';

/** What stands behind `Bearer` in the Authorization header; undefined: nothing does. */
export function bearerOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const { authorization = '' } = headers;
  if (!/^bearer /i.test(authorization)) return undefined;
  return authorization.slice('bearer '.length).trim() || undefined;
}
