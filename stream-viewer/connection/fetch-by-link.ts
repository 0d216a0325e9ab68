/** How something is asked for, beside its address. */
export interface LinkRequest {
  token: string;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

/**
 * Asks the core for what a link opens. The token goes in a header: it is in no address, no history and no cache.
 *
 * @throws TypeError when the network is away; AbortError
 */
export async function fetchByLink(url: string, { token, signal, headers }: LinkRequest): Promise<Response> {
  return await fetch(url, {
    cache: 'no-store',
    credentials: 'omit',
    headers: { Authorization: `Bearer ${token}`, ...headers },
    ...(signal ? { signal } : {}),
  });
}
