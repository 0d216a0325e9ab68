import { createConnection, type Socket } from 'node:net';
import { pieceOfSound } from '../encode/sound-encoder.ts';

/** What a source tells. */
export interface SoundSourceListener {
  /** 20 ms have been played. `ptsMicroseconds`: when they began, on the clock of the video's; later with each piece. */
  heard(samples: Buffer, ptsMicroseconds: bigint): void;
  /** The connection has ended; another is tried until it is closed. Told once, until something is heard again. */
  lost(why: string): void;
}

/** A Desktop's sound while somebody listens. */
export interface SoundSource {
  close(): void;
}

/** The sound server is started again a second after it has ended. */
const tryAgainMs = 1000;
/** Programs inside may send what they like: what comes faster than it can have been played waits in their memory, not here. */
const aheadAtMostMs = 500;
/** A piece that comes later than this, by the time that it should have, is the first of a new count: the machine was busy, or asleep. */
const lateAtMostMs = 60;

/** Listens at the socket of {@link SandboxSound} (sandbox/drivers/driver.ts): nothing is written to it. */
export function listenToSound(socketPath: string, listener: SoundSourceListener): SoundSource {
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let isLost = false;
  /** When the next piece began, in milliseconds; null: as the clock says. */
  let nextAt: number | null = null;

  function connect(): void {
    const made = createConnection(socketPath);
    socket = made;
    let rest: Buffer = Buffer.alloc(0);
    const budget = createBudget();
    nextAt = null;
    made.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= pieceOfSound.bytes) {
        const samples = rest.subarray(0, pieceOfSound.bytes);
        // It began so long ago: what came behind it is younger.
        const ms = (rest.length / pieceOfSound.bytes) * pieceOfSound.milliseconds;
        rest = rest.subarray(pieceOfSound.bytes);
        isLost = false;
        listener.heard(samples, stamp(now() - ms));
        if (closed) return;
      }
      const wait = budget.took((chunk.length / pieceOfSound.bytes) * pieceOfSound.milliseconds);
      if (wait === 0) return;
      made.pause();
      timer = setTimeout(() => made.resume(), wait);
    });
    let why = 'it was closed';
    made.on('error', (error) => {
      why = error.message;
    });
    made.on('close', () => {
      clearTimeout(timer);
      if (closed) return;
      if (!isLost) listener.lost(why);
      isLost = true;
      timer = setTimeout(connect, tryAgainMs);
    });
  }

  /** Pieces follow each other by what they last: when they arrive says only how busy the way was. */
  function stamp(arrivedAt: number): bigint {
    const at = nextAt !== null && arrivedAt - nextAt <= lateAtMostMs ? nextAt : arrivedAt;
    nextAt = at + pieceOfSound.milliseconds;
    return BigInt(Math.round(at * 1000));
  }

  connect();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.destroy();
    },
  };
}

/** Milliseconds on the clock of the video's time stamps. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Says how long to wait after what has been taken, in milliseconds, so that no more is than can have been played. */
function createBudget(): { took(ms: number): number } {
  let paidUntil = performance.now();
  return {
    took(ms) {
      const at = performance.now();
      paidUntil = Math.max(paidUntil, at - aheadAtMostMs) + ms;
      const ahead = paidUntil - at;
      return ahead > aheadAtMostMs ? ahead - aheadAtMostMs / 2 : 0;
    },
  };
}
