import { type XConnection, XLostError } from './connect.ts';

/** Watches whether an X server still answers. */
export interface StallWatch {
  /** Resolves when it has not for a while: it was halted, or whoever is in the sandbox speaks for it. */
  readonly stalled: Promise<XLostError>;
  stop(): void;
}

/** On a machine that is busy beyond measure a server answers after seconds. */
const stalledAfterMs = 30_000;
const askEveryMs = 5000;

/** A connection whose server is silent never ends by itself, and everything that was asked by it would wait for ever. */
export function watchForStall(x: XConnection, { afterMs = stalledAfterMs, everyMs = askEveryMs } = {}): StallWatch {
  const { promise: stalled, resolve } = Promise.withResolvers<XLostError>();
  let askedAt: number | undefined;

  function look(): void {
    if (askedAt === undefined) {
      askedAt = performance.now();
      const heard = () => {
        askedAt = undefined;
      };
      // That the connection is lost says itself.
      x.settled().then(heard, heard);
    } else if (performance.now() - askedAt > afterMs)
      resolve(new XLostError(`the X server has not answered for ${Math.round(afterMs / 1000)} s`));
  }

  const timer = setInterval(look, everyMs);
  return { stalled, stop: () => clearInterval(timer) };
}
