import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** Who has taken nothing for so long has left without saying so, in milliseconds. */
const usuallyStalledMs = 60_000;

/**
 * Sends a body piece by piece, as fast as it is taken, and asks for no further piece once the client has left. Set the headers before,
 * Content-Length among them: it is how the client tells a whole body from one that broke off.
 *
 * @param options `stalledMs`: who takes nothing for so long is cut off
 * @throws what `pieces` throws, once the connection is broken: a part must not look like the whole
 */
export async function sendPieces(
  response: ServerResponse,
  pieces: AsyncIterable<Buffer>,
  { stalledMs = usuallyStalledMs }: { stalledMs?: number } = {},
): Promise<void> {
  response.setTimeout(stalledMs, () => response.destroy());
  try {
    await pipeline(pieces, response);
  } catch (error) {
    if (!hasLeft(error)) throw error;
  }
}

function hasLeft(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
