import type x11 from 'x11';
import { type XConnection, XLostError } from './connect.ts';
import { encodePng } from './png.ts';

/** What the pointer looks like. */
export interface CursorShape {
  png: Buffer;
  /** The pixel of the picture that points. */
  hotX: number;
  hotY: number;
  /** False: the program below has hidden it, by giving it no pixel that can be seen. */
  visible: boolean;
}

/** Where the pointer is, in pixels, and its shape. */
export interface CursorState {
  x: number;
  y: number;
  shape: CursorShape;
}

/** Told of the pointer while it is watched. */
export interface CursorWatch {
  /** What was told last, for whoever comes now. */
  readonly state: CursorState;
  stop(): void;
}

/** While it moves. */
const everyMs = 33;
/** A program that puts the pointer elsewhere does so without an event for others. */
const restingEveryMs = 1000;

/**
 * Tells where the pointer is when that has changed, 30 times a second at most, and what it looks like when that has changed. While the
 * pointer rests it costs a request a second. Once a connection: stopping one watch ends the events of all.
 *
 * @param listener `shaped`: the shape has changed, not only the place
 * @throws XLostError
 */
export async function watchCursor(
  x: XConnection,
  listener: (state: CursorState, shaped: boolean) => void,
): Promise<CursorWatch> {
  let shape = await readShape(x);
  let at = await readPlace(x);
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** It has moved since it was looked at, and will be looked at soon. */
  let hasMoved = false;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function lookIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => look().catch(untilLost), ms);
  }

  async function look(): Promise<void> {
    hasMoved = false;
    lookedAt = performance.now();
    const now = await readPlace(x);
    if (stopped) return;
    if (!hasMoved) lookIn(restingEveryMs);
    if (now.x === at.x && now.y === at.y) return;
    at = now;
    listener({ ...at, shape }, false);
  }

  function moved(): void {
    if (hasMoved) return;
    hasMoved = true;
    lookIn(Math.max(0, lookedAt + everyMs - performance.now()));
  }

  async function reshape(): Promise<void> {
    shape = await readShape(x);
    if (!stopped) listener({ ...at, shape }, true);
  }

  const stopEvents = x.onEvent((event) => {
    if (event.name === 'XIRawMotion') moved();
    if (event.name === 'CursorNotify') reshape().catch(untilLost);
  });
  x.fixes.SelectCursorInput(x.root, x.fixes.CursorNotifyMask.DisplayCursor);
  x.xinput.XISelectEvents(x.root, { deviceId: x.xinput.AllMasterDevices, mask: ['RawMotion'] });
  lookIn(restingEveryMs);

  return {
    get state() {
      return { ...at, shape };
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      stopEvents();
      x.fixes.SelectCursorInput(x.root, 0);
      x.xinput.XISelectEvents(x.root, { deviceId: x.xinput.AllMasterDevices, mask: [] });
    },
  };
}

/** Nothing is to be told without a connection; `lost` says that to its owner. */
function untilLost(error: unknown): void {
  if (!(error instanceof XLostError)) throw error;
}

async function readPlace(x: XConnection): Promise<{ x: number; y: number }> {
  const { rootX, rootY } = await x.ask<{ rootX: number; rootY: number }>((reply) =>
    x.client.QueryPointer(x.root, reply),
  );
  return { x: rootX, y: rootY };
}

async function readShape(x: XConnection): Promise<CursorShape> {
  const image = await x.ask<x11.CursorImage>((reply) => x.fixes.GetCursorImage(reply));
  const pixels = plainColours(image.cursorImage);
  return {
    png: encodePng(image.width, image.height, pixels),
    hotX: image.xhot,
    hotY: image.yhot,
    visible: pixels.some((value, index) => index % 4 === 3 && value > 0),
  };
}

/** From B, G, R, A with colours multiplied by alpha (XFixes) to R, G, B, A with colours as they are (PNG). */
function plainColours(premultiplied: Buffer): Buffer {
  const plain = Buffer.alloc(premultiplied.length);
  for (let at = 0; at < plain.length; at += 4) {
    const alpha = premultiplied[at + 3] ?? 0;
    for (const [to, from] of [
      [0, 2],
      [1, 1],
      [2, 0],
    ] as const) {
      const value = premultiplied[at + from] ?? 0;
      plain[at + to] = alpha === 0 ? 0 : Math.min(255, Math.round((value * 255) / alpha));
    }
    plain[at + 3] = alpha;
  }
  return plain;
}
