import type * as constants from 'node-av/constants';
import type * as lib from 'node-av/lib';

/** The low-level part of FFmpeg's Node binding: contexts, frames and packets, and its constants. */
export type NodeAv = typeof lib & typeof constants;

/** What to do where it is missing. */
export const nodeAvMissing = 'node-av is not installed: npm install node-av';

/**
 * Loads FFmpeg, an optional dependency: null where it is not installed, or has no binary for this platform. It is 170 MB and under the
 * GPL, so it is loaded in processes that encode and nowhere else. FFmpeg itself writes nothing to stderr from then on.
 */
export async function loadNodeAv(): Promise<NodeAv | null> {
  try {
    const [av, names] = await Promise.all([import('node-av/lib'), import('node-av/constants')]);
    av.Log.setLevel(names.AV_LOG_QUIET);
    return { ...av, ...names };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Not installed, or only the JavaScript without the binary of this platform. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return (
    code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND' || /native binding|node-av/i.test(error.message)
  );
}
