import type x11 from 'x11';
import type { XConnection } from './connect.ts';

/** The events of a kind, one at a time, from the moment this was made: none is missed between two calls of `next`. */
export interface EventQueue<E> {
  /** @returns undefined when none comes in time */
  next(withinMs: number): Promise<E | undefined>;
  stop(): void;
}

export function queueEvents<E extends x11.Event>(
  x: XConnection,
  isWanted: (event: x11.Event) => event is E,
): EventQueue<E> {
  const waiting: E[] = [];
  let wake: (() => void) | undefined;
  const stop = x.onEvent((event) => {
    if (!isWanted(event)) return;
    waiting.push(event);
    wake?.();
  });

  return {
    next: async (withinMs) => {
      if (waiting.length === 0) {
        const { promise: came, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const late = setTimeout(resolve, withinMs);
        await came;
        clearTimeout(late);
        wake = undefined;
      }
      return waiting.shift();
    },
    stop,
  };
}
