import { setTimeout as sleep } from 'node:timers/promises';
import type { createFigures } from '../../figures.ts';
import type { DesktopHouse, RunningDesktop } from '../desktop-house.ts';
import { timePackets } from './packet-timer.ts';
import { type Painter, startPainter } from './painter.ts';
import { connectViewer, type ProtocolClient } from './protocol-client.ts';

/** What all measurements of many viewers stand on. */
export interface Ground {
  house: DesktopHouse;
  figures: ReturnType<typeof createFigures>;
  /** One on each Desktop. */
  painters: ReadonlyMap<RunningDesktop, Painter>;
  /** How long one measurement takes. */
  seconds: number;
}

const changesPerSecond = 10;

/** Puts a painter on each Desktop of a house, which changes all of its screen. */
export async function prepareGround(
  house: DesktopHouse,
  figures: Ground['figures'],
  seconds: number,
  cleanup: AsyncDisposableStack,
): Promise<Ground> {
  const painters = new Map<RunningDesktop, Painter>();
  for (const desktop of house.desktops)
    painters.set(desktop, cleanup.use(await startPainter(desktop.display, house.screen)));
  return { house, figures, painters, seconds };
}

/** Opens a viewer and waits until it has been let in. `port`: of a link to the house; default the house itself. */
export async function view(
  { house }: Pick<Ground, 'house'>,
  desktop: RunningDesktop,
  { mode = 'watch', port = house.port }: { mode?: 'watch' | 'control'; port?: number } = {},
): Promise<ProtocolClient> {
  const client = connectViewer(`ws://127.0.0.1:${port}/d/${desktop.id}/stream`, desktop.tokens[mode]);
  await client.welcomed;
  return client;
}

/** Ten changes a second on these Desktops: milliseconds until each had come to each of their viewers. */
export async function timeChanges(
  { house, painters, seconds }: Ground,
  watching: ReadonlyMap<RunningDesktop, readonly ProtocolClient[]>,
): Promise<number[]> {
  const timers = [...watching].flatMap(([desktop, clients]) =>
    clients.map((client) => ({ desktop, timer: timePackets(client) })),
  );
  for (const desktop of watching.keys()) {
    painters.get(desktop)?.start(changesPerSecond, (at) => {
      for (const each of timers) if (each.desktop === desktop) each.timer.changed(at);
    });
    // Desktops know nothing of each other: they don't change all at once.
    await sleep(1000 / changesPerSecond / house.desktops.length);
  }
  // What comes first is a keyframe, and not how it goes on.
  await sleep(2000);
  for (const { timer } of timers) timer.restart();
  await sleep(seconds * 1000);
  for (const desktop of watching.keys()) painters.get(desktop)?.stop();
  await sleep(500);
  return timers.flatMap(({ timer }) => timer.took);
}

/** Closes viewers. */
export function closeAll(clients: readonly ProtocolClient[]): Promise<unknown> {
  return Promise.all(clients.map((client) => client.close()));
}
