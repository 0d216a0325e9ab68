import type { WebSocket } from 'ws';

/** A connection whose peer is asked whether it is there so often, and given up when it has not answered by the next time. */
const usuallyMs = 20_000;

/** Ends a connection whose peer is gone without having said so (RFC 6455 §5.5.2: every peer answers a ping). */
export function keepAlive(socket: WebSocket, everyMs: number = usuallyMs): void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    // One that is held back reads no answer.
    if (!answered && !socket.isPaused) return socket.terminate();
    answered = false;
    socket.ping();
  }, everyMs);
  socket.once('close', () => clearInterval(timer));
}
