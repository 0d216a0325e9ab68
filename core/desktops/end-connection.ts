import type { WebSocket } from 'ws';

/** A peer that does not answer the closing handshake is not waited for longer, in milliseconds. */
const answerWithinMs = 1000;

/** Closes a connection, and cuts it when its peer does not do its part (`ws` by itself waits 30 s). */
export function endConnection(socket: WebSocket, code: number): void {
  socket.close(code);
  const cut = setTimeout(() => socket.terminate(), answerWithinMs).unref();
  socket.once('close', () => clearTimeout(cut));
}
