import type { Streamer, ViewerDial } from '../stream/streamer.ts';

/** The viewers that a streamer was told to connect to, and which are not connected yet. */
export interface OpenDials {
  add(dial: ViewerDial): void;
  /** These viewers are connected. */
  connected(viewers: Iterable<{ viewer: string }>): void;
  /** Tells them all to another streamer. */
  repeat(streamer: Streamer): void;
  close(): void;
}

/** By then the viewer is connected, or the core has given up waiting. */
const forgetAfterMs = 10_000;

/**
 * Remembers dials until they have come about. The core notices that a streamer has died by its connections, sooner than the host does by
 * its process: what it asks for then goes to the dead one first. A ticket is good once, so that one told twice does no harm.
 */
export function createOpenDials(): OpenDials {
  const open = new Map<string, { dial: ViewerDial; forget: NodeJS.Timeout }>();

  function remove(viewer: string): void {
    clearTimeout(open.get(viewer)?.forget);
    open.delete(viewer);
  }

  return {
    add(dial) {
      const { viewer } = dial.person;
      remove(viewer);
      open.set(viewer, { dial, forget: setTimeout(() => open.delete(viewer), forgetAfterMs).unref() });
    },
    connected(viewers) {
      for (const { viewer } of viewers) remove(viewer);
    },
    repeat(streamer) {
      for (const { dial } of open.values()) streamer.dial(dial);
    },
    close() {
      for (const viewer of open.keys()) remove(viewer);
    },
  };
}
