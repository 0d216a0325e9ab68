/** Where a process listens, as node:net takes it. */
export type SocketAddress = { path: string } | { host: string; port: number };

/** The address that `tcp://host:port` or `unix:///path` says. Null: it is none. */
export function parseSocketAddress(text: string): SocketAddress | null {
  const url = URL.parse(text);
  if (!url || [url.username, url.password, url.search, url.hash].some((part) => part !== '')) return null;
  const { protocol, hostname, port, pathname } = url;
  if (protocol === 'unix:') return hostname === '' && pathname.length > 1 ? pathOf(pathname) : null;
  if (protocol !== 'tcp:' || hostname === '' || port === '' || !['', '/'].includes(pathname)) return null;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function pathOf(encoded: string): SocketAddress | null {
  try {
    return { path: decodeURIComponent(encoded) };
  } catch {
    return null;
  }
}

/** For people, as {@link parseSocketAddress} reads it. */
export function formatSocketAddress(at: SocketAddress): string {
  if ('path' in at) return `unix://${at.path}`;
  return `tcp://${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`;
}
