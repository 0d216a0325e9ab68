import { createConnection, createServer, type Socket } from 'node:net';

/** How a line behaves: the same in both directions, whoever shares it. */
export interface LineShape {
  /** Both ways together. */
  roundTripMs: number;
  bitsPerSecond: number;
}

/** A TCP proxy between a browser and a server: counts what passes, and may behave like a line of the outside world. */
export interface Link extends AsyncDisposable {
  /** On 127.0.0.1; what connects here reaches the server. */
  readonly port: number;
  /** Bytes since the start: from the server, and to it. Those of TCP's own headers are not in it. */
  bytesDown(): number;
  bytesUp(): number;
  /** From now on; null: as fast as the machine. */
  behaveLike(shape: LineShape | null): void;
  close(): Promise<void>;
}

/** A line carries pieces of this size one after the other, so that what arrives does so evenly. */
const pieceBytes = 4096;
/** So much before the line is free the next bytes are read, lest it stands still for want of a timer. */
const readAheadMs = 4;

/**
 * Starts a link to a port of 127.0.0.1. A shaped line has no loss and no slow start; a sender that is faster than it is held back when the
 * kernel's buffers between are full, as on a real one.
 */
export async function startLink(serverPort: number): Promise<Link> {
  const down = createDirection();
  const up = createDirection();
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = createConnection({ port: serverPort, host: '127.0.0.1', noDelay: true });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      // A browser that goes away resets its connections: the other end is told, and nobody else.
      socket.on('error', () => {
        near.destroy();
        far.destroy();
      });
    }
    down.carry(far, near);
    up.carry(near, far);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');

  async function close(): Promise<void> {
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    down.close();
    up.close();
  }
  return {
    port: address.port,
    bytesDown: down.bytes,
    bytesUp: up.bytes,
    behaveLike(shape) {
      down.behaveLike(shape);
      up.behaveLike(shape);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** One direction of a line, shared by all its connections. */
function createDirection() {
  let shape: LineShape | null = null;
  let bytes = 0;
  /** When the line will have put out all that it was given. */
  let freeAt = 0;
  const onTheWay: { arrivesAt: number; arrive: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;

  function deliver(): void {
    timer = undefined;
    for (const now = performance.now(); onTheWay[0] && onTheWay[0].arrivesAt <= now; ) onTheWay.shift()?.arrive();
    const next = onTheWay[0];
    if (next) timer = setTimeout(deliver, Math.max(0, next.arrivesAt - performance.now()));
  }

  /** Puts something on the line, behind all that is on it already. */
  function send(length: number, arrive: () => void): void {
    const now = performance.now();
    freeAt = Math.max(now, freeAt) + (shape ? (length * 8000) / shape.bitsPerSecond : 0);
    onTheWay.push({ arrivesAt: freeAt + (shape?.roundTripMs ?? 0) / 2, arrive });
    timer ??= setTimeout(deliver, Math.max(0, (onTheWay[0]?.arrivesAt ?? now) - now));
  }

  function carry(from: Socket, to: Socket): void {
    const readOn = () => {
      if (to.destroyed) return;
      if (to.writableNeedDrain) to.once('drain', () => from.resume());
      else from.resume();
    };
    const write = (piece: Buffer) => {
      if (!to.destroyed) to.write(piece);
    };
    from.on('data', (chunk) => {
      bytes += chunk.length;
      if (!shape && onTheWay.length === 0) {
        write(chunk);
        if (!to.writableNeedDrain) return;
        from.pause();
        readOn();
        return;
      }
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        const piece = chunk.subarray(at, at + pieceBytes);
        send(piece.length, () => write(piece));
      }
      from.pause();
      setTimeout(readOn, Math.max(0, freeAt - performance.now() - readAheadMs));
    });
    from.on('end', () => send(0, () => to.end()));
    from.on('close', (failed) => {
      if (failed) to.destroy();
    });
  }

  return {
    carry,
    bytes: () => bytes,
    behaveLike(next: LineShape | null) {
      shape = next;
    },
    close: () => clearTimeout(timer),
  };
}
