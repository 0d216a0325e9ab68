import { fetchByLink } from '../connection/fetch-by-link.ts';

/** A still of a Desktop's screen, or why there is none. `etag` names the state of the screen. */
export type StillAnswer =
  | { kind: 'changed'; image: ImageBitmap; etag: string | null; tookMs: number }
  | { kind: 'unchanged' }
  | { kind: 'refused'; status: number };

/** What is asked for. */
export interface StillQuestion {
  /** `…/d/{desktop}/screenshot`. */
  url: string;
  token: string;
  quality: number;
  /** In pixels. */
  width: number;
  /** The state that is on the screen already. */
  etag: string | null;
  signal: AbortSignal;
}

/**
 * One still over HTTP.
 *
 * @throws TypeError when the network is away; AbortError
 */
export async function fetchStill(question: StillQuestion): Promise<StillAnswer> {
  const { url, token, quality, width, etag, signal } = question;
  const begun = performance.now();
  const headers: Record<string, string> = etag === null ? {} : { 'If-None-Match': etag };
  const response = await fetchByLink(`${url}?format=jpeg&quality=${quality}&w=${width}`, { token, signal, headers });
  if (response.status === 304) return { kind: 'unchanged' };
  if (!response.ok) return { kind: 'refused', status: response.status };
  const blob = await response.blob();
  const tookMs = performance.now() - begun;
  return { kind: 'changed', image: await createImageBitmap(blob), etag: response.headers.get('ETag'), tookMs };
}
