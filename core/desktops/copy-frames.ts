import type { WebSocket } from 'ws';

/**
 * A side that has so many bytes to take makes the other wait, and goes on when it has half of that. Viewers are left out by the streamer
 * long before (sandbox/stream/fan-out.ts); this bounds what a process can be made to hold.
 */
const waitingAtMost = 2 * 1024 * 1024;

/** Sends on what comes from one side, text as text and binary as binary, until the returned function is called. */
export function copyFrames(from: WebSocket, to: WebSocket): () => void {
  const sent = () => {
    if (from.isPaused && to.bufferedAmount < waitingAtMost / 2) from.resume();
  };
  const copy = (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => {
    if (to.readyState !== to.OPEN) return;
    to.send(data, { binary: isBinary }, sent);
    if (to.bufferedAmount > waitingAtMost) from.pause();
  };
  from.on('message', copy);
  return () => {
    from.off('message', copy);
    from.resume();
  };
}
