import { fetchByLink } from '../connection/fetch-by-link.ts';

/** A file as the core sent it. */
export interface FetchedFile {
  name: string;
  content: Blob;
}

/** The file, or why there is none. `refused`: the link is over, or is none of ours. `gone`: the file. `away`: trying again may help. */
export type FileAnswer = ({ kind: 'file' } & FetchedFile) | { kind: 'refused' } | { kind: 'gone' } | { kind: 'away' };

/** A connection on which nothing comes for so long is given up. */
const stallMs = 20_000;

/**
 * Asks the core for the file that the link opens. `tell` hears how much of it is here, from 0 to 1, as it comes; nothing where its size is
 * not known.
 */
export async function fetchFile(url: string, token: string, tell: (share: number) => void): Promise<FileAnswer> {
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(), stallMs);
  try {
    const response = await fetchByLink(url, { token, signal: stalled.signal });
    if (response.status === 410) return { kind: 'gone' };
    if ([401, 403].includes(response.status)) return { kind: 'refused' };
    if (!response.ok || !response.body) return { kind: 'away' };
    const size = Number(response.headers.get('content-length'));
    const pieces: BlobPart[] = [];
    let here = 0;
    const reader = response.body.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      pieces.push(piece.value);
      here += piece.value.byteLength;
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), stallMs);
      if (size > 0) tell(here / size);
    }
    // A connection that breaks in the middle of a body of known length throws above.
    const type = response.headers.get('content-type') ?? '';
    return {
      kind: 'file',
      name: nameIn(response.headers.get('content-disposition') ?? ''),
      content: new Blob(pieces, { type }),
    };
  } catch (error) {
    console.warn(`no file: ${error instanceof Error ? error.message : error}`);
    return { kind: 'away' };
  } finally {
    clearTimeout(timer);
  }
}

/** The name in a Content-Disposition header (RFC 6266), as the core writes it. */
export function nameIn(disposition: string): string {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1];
  if (encoded !== undefined) return decodeURIComponent(encoded);
  const quoted = /filename="((?:[^"\\]|\\.)*)"/i.exec(disposition)?.[1];
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/g, '$1');
  return /filename=([^;\s]+)/i.exec(disposition)?.[1] ?? 'file';
}
