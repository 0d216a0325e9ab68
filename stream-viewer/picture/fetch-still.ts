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
 * One still over HTTP. The token goes in a header: it is in no address.
 *
 * @throws TypeError when the network is away; AbortError
 */
export async function fetchStill(question: StillQuestion): Promise<StillAnswer> {
  const { url, token, quality, width, etag, signal } = question;
  const begun = performance.now();
  const response = await fetch(`${url}?format=jpeg&quality=${quality}&w=${width}`, {
    cache: 'no-store',
    credentials: 'omit',
    headers: { Authorization: `Bearer ${token}`, ...(etag !== null && { 'If-None-Match': etag }) },
    signal,
  });
  if (response.status === 304) return { kind: 'unchanged' };
  if (!response.ok) return { kind: 'refused', status: response.status };
  const blob = await response.blob();
  const tookMs = performance.now() - begun;
  return { kind: 'changed', image: await createImageBitmap(blob), etag: response.headers.get('ETag'), tookMs };
}
