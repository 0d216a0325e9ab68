import { fetchByLink } from '../connection/fetch-by-link.ts';

/** A Desktop as the core lists it. */
export interface ListedDesktop {
  id: string;
  /** Whose it is, and what it works on. */
  title: string;
  subtitle: string;
  state: 'starting' | 'running' | 'stopped' | 'failed';
  width: number;
  height: number;
  /** Its page, with a fresh token for watching behind the `#`. */
  url: string;
}

/** The list, or why there is none. `refused`: the link is over. `away`: trying again may help. */
export type ListAnswer = { kind: 'desktops'; desktops: ListedDesktop[] } | { kind: 'refused' } | { kind: 'away' };

/** Asks the core which Desktops the holder of the link may see now. */
export async function listDesktops(url: string, token: string): Promise<ListAnswer> {
  try {
    const response = await fetchByLink(url, { token });
    if ([401, 403, 410].includes(response.status)) return { kind: 'refused' };
    if (!response.ok) return { kind: 'away' };
    return { kind: 'desktops', desktops: (await response.json()) as ListedDesktop[] };
  } catch (error) {
    console.warn(`no list: ${error instanceof Error ? error.message : error}`);
    return { kind: 'away' };
  }
}
