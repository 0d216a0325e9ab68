import type { ProtocolClient } from './protocol-client.ts';

/** Times the way from a change of the screen to the picture that shows it, at one viewer. */
export interface PacketTimer {
  /** Milliseconds, one for each change that has arrived. */
  readonly took: readonly number[];
  /** The screen is changed now; by performance.now(). */
  changed(at: number): void;
  /** Forgets what was measured and what is on its way. */
  restart(): void;
}

/**
 * A picture shows every change that came before the screen was grabbed for it, which its pts tells: this machine's clock. Several changes
 * in one picture have all arrived with it.
 */
export function timePackets(client: ProtocolClient): PacketTimer {
  let took: number[] = [];
  let onTheWay: number[] = [];
  client.onPicture(({ ptsMicroseconds }, at) => {
    const grabbedAt = Number(ptsMicroseconds) / 1000 - performance.timeOrigin;
    const shown = onTheWay.filter((changedAt) => changedAt <= grabbedAt);
    onTheWay = onTheWay.slice(shown.length);
    took.push(...shown.map((changedAt) => at - changedAt));
  });
  return {
    get took() {
      return took;
    },
    changed: (at) => void onTheWay.push(at),
    restart() {
      took = [];
      onTheWay = [];
    },
  };
}
