import type { XConnection } from './connect.ts';

/** The screen's size in pixels. */
export interface ScreenSize {
  width: number;
  height: number;
}

/** An X screen whose size can change. */
export interface XScreen {
  /** As the server has told it last. */
  readonly size: ScreenSize;
  /** Called with each new size, whoever has changed it. Returns what ends it. */
  onResized(listener: (size: ScreenSize) => void): () => void;
  /**
   * Changes the size, 2–5 ms. What was on the screen stays; windows are told, and a window manager fits them.
   *
   * @throws ScreenSizeRefusedError
   */
  resize(size: ScreenSize): Promise<void>;
}

/** The X server cannot have a screen of that size. */
export class ScreenSizeRefusedError extends Error {
  constructor(wanted: ScreenSize, why: string) {
    super(`the screen cannot be made ${wanted.width}×${wanted.height}: ${why}`);
    this.name = 'ScreenSizeRefusedError';
  }
}

const millimetresPerInch = 25.4;
const dotsPerInch = 96;

/**
 * Follows the screen's size and changes it by RANDR. Xvfb (21.1, Debian 12) starts at the size of its `-screen` option, and that is
 * the largest it can have later: start it as large as a Desktop may ever be, and resize it before anything is shown.
 */
export async function openScreen(x: XConnection): Promise<XScreen> {
  const listeners = new Set<(size: ScreenSize) => void>();
  let size: ScreenSize = { width: x.screen.pixel_width, height: x.screen.pixel_height };
  let ourMode: number | undefined;
  let last: Promise<unknown> = Promise.resolve();

  x.onEvent((event) => {
    if (event.name !== 'RRScreenChangeNotify') return;
    if (event.width === size.width && event.height === size.height) return;
    size = { width: event.width, height: event.height };
    for (const listener of listeners) listener(size);
  });
  x.randr.SelectInput(x.root, x.randr.NotifyMask.ScreenChange);
  await x.settled();

  async function change(wanted: ScreenSize): Promise<void> {
    if (wanted.width === size.width && wanted.height === size.height) return;
    const range = await x.ask<{ maxWidth: number; maxHeight: number }>((reply) =>
      x.randr.GetScreenSizeRange(x.root, reply),
    );
    if (!isWithin(wanted, { width: range.maxWidth, height: range.maxHeight })) {
      const most = `${range.maxWidth}×${range.maxHeight}`;
      throw new ScreenSizeRefusedError(wanted, `this X server has at most ${most}; start it with a larger -screen`);
    }

    const { crtc, output, modes, configTimestamp } = await resources(x, wanted);
    const mode = modes.find((known) => known.width === wanted.width && known.height === wanted.height);
    const id = mode?.id ?? (await addMode(x, output, wanted));
    const show = async (shown: number, outputs: readonly number[]) => {
      const { status } = await x.ask<{ status: number }>((reply) =>
        x.randr.SetCrtcConfig(crtc, 0, configTimestamp, 0, 0, shown, x.randr.Rotation.Rotate_0, outputs, reply),
      );
      if (status !== x.randr.ConfigStatus.Success)
        throw new ScreenSizeRefusedError(wanted, `RANDR answered status ${status}`);
    };

    // The output is off meanwhile: a screen may not be smaller than what is shown of it.
    await show(0, []);
    x.randr.SetScreenSize(x.root, wanted.width, wanted.height, millimetres(wanted.width), millimetres(wanted.height));
    await show(id, [output]);
    if (ourMode !== undefined && ourMode !== id) {
      x.randr.DeleteOutputMode(output, ourMode);
      x.randr.DestroyMode(ourMode);
      ourMode = undefined;
    }
    if (!mode) ourMode = id;
    await x.settled();
  }

  return {
    get size() {
      return size;
    },
    onResized: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    resize: (wanted) => {
      // One after the other: two at once would take the output from each other.
      const done = last.then(() => change(wanted));
      last = done.catch(() => undefined);
      return done;
    },
  };
}

async function resources(x: XConnection, wanted: ScreenSize) {
  const found = await x.ask<{
    crtcs: number[];
    outputs: number[];
    modeinfos: { id: number; width: number; height: number }[];
    config_timestamp: number;
  }>((reply) => x.randr.GetScreenResources(x.root, reply));
  const [crtc] = found.crtcs;
  const [output] = found.outputs;
  if (crtc === undefined || output === undefined)
    throw new ScreenSizeRefusedError(wanted, 'this X server has no output that RANDR could change');
  return { crtc, output, modes: found.modeinfos, configTimestamp: found.config_timestamp };
}

async function addMode(x: XConnection, output: number, size: ScreenSize): Promise<number> {
  const name = `${size.width}x${size.height}`;
  const mode = await x.ask<number>((reply) => x.randr.CreateMode(x.root, { ...size, name }, reply));
  x.randr.AddOutputMode(output, mode);
  return mode;
}

function isWithin(wanted: ScreenSize, most: ScreenSize): boolean {
  return wanted.width >= 1 && wanted.height >= 1 && wanted.width <= most.width && wanted.height <= most.height;
}

function millimetres(pixels: number): number {
  return Math.round((pixels / dotsPerInch) * millimetresPerInch);
}
