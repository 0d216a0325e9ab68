import type x11 from 'x11';
import { type XConnection, XLostError, XRequestError } from '../x11/connect.ts';
import type { ScreenSize } from '../x11/screen.ts';
import { type Band, bandsOf, joinBands, wholeScreen } from './bands.ts';
import { type Box, boxAround } from './box.ts';
import { createCoreGrabber } from './core-grabber.ts';
import type { Grabber } from './grabber.ts';
import { createSharedMemoryGrabber } from './shared-memory-grabber.ts';

/** What a ScreenCapture tells. */
export interface CaptureListener {
  /** Something on the screen has changed: {@link ScreenCapture.refresh} would find it. Told once until the next refresh. */
  damaged(): void;
  /** The screen has another size, and so have `pixels` from now on. */
  resized(size: ScreenSize): void;
}

/** What has changed on the screen: the rows that were grabbed, and the smallest box around what is new in them. */
export interface ScreenChange {
  bands: Band[];
  /** Null: nothing has. */
  box: Box | null;
}

/** The screen of an X server, kept up to date on request. While nothing changes there it costs nothing at all. */
export interface ScreenCapture {
  readonly size: ScreenSize;
  /** Blue, green, red, unused: 4 bytes a pixel, rows without gaps. Another buffer after a resize; written to by every refresh. */
  readonly pixels: Buffer;
  /**
   * Numbers the picture in `pixels`: it grows whenever the screen has changed, also from one process to the next, since it starts with
   * the time in milliseconds.
   */
  readonly serial: number;
  /** True when the screen has changed since the last refresh. */
  readonly isDamaged: boolean;
  /** Grabs what has changed since the last time. Calls at the same time share one grab. */
  refresh(): Promise<void>;
  /** What refreshes have changed in `pixels` since this was called last; at first and after a resize all of it. */
  takeChanged(): ScreenChange;
  /** Whoever takes the changes has to begin anew: everything counts as changed. */
  markAllChanged(): void;
  close(): void;
}

/** How the pixels are fetched; `auto`: by shared memory where that works. */
export type GrabMethod = 'auto' | 'core';

const badMatch = 8;
/** Of a screen. Whoever is in the sandbox can speak for its X server, and would have gigabytes taken here. */
const sideAtMost = 4096;

/**
 * Captures the screen behind a connection, driven by XDamage: the X server says when something has changed and which rectangles, and
 * only the rows of those are fetched. Changes are subtracted from the damage, with a round trip, before the pixels are fetched: a change
 * in between is then reported again, where the other order would lose it.
 *
 * @throws XLostError when the connection ends meanwhile
 */
export async function captureScreen(
  connection: XConnection,
  listener: CaptureListener,
  method: GrabMethod = 'auto',
): Promise<ScreenCapture> {
  const { client, root, damage, fixes, randr } = connection;
  let size = await geometry();
  let grabber = await createGrabber(connection, size, method);
  let changed = allOf(size);
  let needed = allOf(size);
  let damagedSerial = Date.now();
  let serial = damagedSerial;
  let isDamaged = true;
  let refreshing: Promise<void> | undefined;
  let sizeIsKnown = true;
  let following: Promise<void> | undefined;
  let closed = false;

  async function geometry(): Promise<ScreenSize> {
    const { width, height } = await connection.ask<ScreenSize>((reply) => client.GetGeometry(root, reply));
    if (width > sideAtMost || height > sideAtMost)
      throw new XLostError(`the X server says that its screen is ${width}×${height}: no Desktop's is`);
    return { width, height };
  }

  const damageId = client.AllocID();
  const regionId = client.AllocID();
  fixes.CreateRegion(regionId, []);
  damage.Create(damageId, root, damage.ReportLevel.NonEmpty);
  randr.SelectInput(root, randr.NotifyMask.ScreenChange);
  const stopListening = connection.onEvent((event) => {
    if (event.name === 'DamageNotify' && event.damage === damageId) noteDamage();
    if (event.name === 'RRScreenChangeNotify') followSize().catch(unlessLost);
  });

  function noteDamage(): void {
    damagedSerial += 1;
    if (isDamaged) return;
    isDamaged = true;
    listener.damaged();
  }

  /** What has changed since the last time, by the X server's account. */
  async function subtractDamage(): Promise<ScreenChange> {
    damage.Subtract(damageId, 0, regionId);
    const { extents, rectangles } = await connection.ask<x11.Region>((reply) => fixes.FetchRegion(regionId, reply));
    const { x: left, y: top, width, height } = extents;
    return { bands: bandsOf(rectangles, size.height), box: boxAround([{ left, top, width, height }], size) };
  }

  function joined(some: ScreenChange, others: ScreenChange): ScreenChange {
    const bands = joinBands(some.bands, others.bands, size.height);
    return { bands, box: boxAround([some.box, others.box], size) };
  }

  async function grabDamage(): Promise<void> {
    isDamaged = false;
    const upTo = damagedSerial;
    const of = grabber;
    needed = joined(needed, await subtractDamage());
    if (closed || of !== grabber) return;
    const grabbing = needed;
    await of.grab(grabbing.bands);
    if (of !== grabber) return;
    needed = noChange;
    changed = joined(changed, grabbing);
    serial = upTo;
  }

  async function refresh(): Promise<void> {
    if (refreshing) await refreshing;
    if (!isDamaged || closed) return;
    refreshing ??= grabUntilItFits().finally(() => {
      refreshing = undefined;
    });
    await refreshing;
  }

  async function grabUntilItFits(): Promise<void> {
    while (isDamaged && !closed) {
      try {
        return await grabDamage();
      } catch (error) {
        if (!(error instanceof XRequestError && error.code === badMatch)) throw error;
        // The screen has become smaller between two requests of ours.
        isDamaged = true;
        await followSize();
      }
    }
  }

  function followSize(): Promise<void> {
    sizeIsKnown = false;
    following ??= adoptSize().finally(() => {
      following = undefined;
    });
    return following;
  }

  async function adoptSize(): Promise<void> {
    while (!sizeIsKnown && !closed) {
      sizeIsKnown = true;
      const now = await geometry();
      if (now.width === size.width && now.height === size.height) continue;
      const next = await createGrabber(connection, now, method);
      if (closed) return next.close();
      grabber.close();
      grabber = next;
      size = now;
      changed = allOf(size);
      needed = allOf(size);
      isDamaged = false;
      listener.resized(size);
      noteDamage();
    }
  }

  return {
    get size() {
      return size;
    },
    get pixels() {
      return grabber.pixels;
    },
    get serial() {
      return serial;
    },
    get isDamaged() {
      return isDamaged;
    },
    refresh,
    takeChanged() {
      const taken = changed;
      changed = noChange;
      return taken;
    },
    markAllChanged() {
      changed = allOf(size);
    },
    close() {
      if (closed) return;
      closed = true;
      stopListening();
      damage.Destroy(damageId);
      fixes.DestroyRegion(regionId);
      grabber.close();
    },
  };
}

const noChange: ScreenChange = { bands: [], box: null };

function allOf(size: ScreenSize): ScreenChange {
  return { bands: wholeScreen(size.height), box: { left: 0, top: 0, ...size } };
}

async function createGrabber(connection: XConnection, size: ScreenSize, method: GrabMethod): Promise<Grabber> {
  if (method === 'core') return createCoreGrabber(connection, size);
  try {
    return await createSharedMemoryGrabber(connection, size);
  } catch (error) {
    if (error instanceof XRequestError || !connection.passesDescriptors || isFileError(error))
      return createCoreGrabber(connection, size);
    throw error;
  }
}

/** Whoever made the connection hears of its end; everything else is a mistake of ours, and not to be swallowed. */
function unlessLost(error: unknown): void {
  if (!(error instanceof XLostError)) throw error;
}

/** There is no /dev/shm, or it is full. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
