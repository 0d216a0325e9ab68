/** Where to listen. */
export interface ListenAddress {
  host: string;
  port: number;
}

/** `127.0.0.1:2525`, `[::1]:2525`, or a port alone, which listens on this machine only. Undefined when it is none of these. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+)):)?(\d{1,5})$/i.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  return port > 65_535 ? undefined : { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}

/** As it is written in settings and messages. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
