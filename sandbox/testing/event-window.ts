import { setTimeout as sleep } from 'node:timers/promises';
import x11 from 'x11';
import type { XDisplay } from '../drivers/driver.ts';
import { connectX } from '../x11/connect.ts';

type Seen = Extract<x11.Event, { keycode: number }>;

/** A program of a test whose window covers the screen and keeps what it is told of keys and pointer. */
export interface EventWindow extends AsyncDisposable {
  /** The first event of these kinds from now on. @throws Error when none comes within 2 s */
  next(...names: Seen['name'][]): Promise<Seen>;
  /** All since the last call, once everything sent before has arrived. */
  take(): Promise<Seen[]>;
}

/** Opens it on a connection of its own, larger than any screen. */
export async function openEventWindow(display: XDisplay): Promise<EventWindow> {
  const x = await connectX(display);
  const window = x.client.AllocID();
  const { KeyPress, KeyRelease, ButtonPress, ButtonRelease, PointerMotion } = x11.eventMask;
  x.client.CreateWindow(window, x.root, 0, 0, 4096, 4096, 0, 0, 0, 0, {
    overrideRedirect: 1,
    eventMask: KeyPress | KeyRelease | ButtonPress | ButtonRelease | PointerMotion,
  });
  x.client.MapWindow(window);
  x.client.SetInputFocus(window, 0);
  await x.settled();

  let seen: Seen[] = [];
  const listeners = new Set<(event: Seen) => void>();
  x.onEvent((event) => {
    if (!('keycode' in event)) return;
    seen.push(event);
    for (const listener of listeners) listener(event);
  });

  return {
    next: (...names) =>
      new Promise((resolve, reject) => {
        const listener = (event: Seen) => {
          if (!names.includes(event.name)) return;
          clearTimeout(late);
          listeners.delete(listener);
          resolve(event);
        };
        const late = setTimeout(() => reject(new Error(`no ${names.join(' or ')} came`)), 2000);
        listeners.add(listener);
      }),
    take: async () => {
      await x.settled();
      await sleep(20);
      await x.settled();
      const taken = seen;
      seen = [];
      return taken;
    },
    [Symbol.asyncDispose]: () => x.close(),
  };
}
