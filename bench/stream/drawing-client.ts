import type x11 from 'x11';

type PenValues = { foreground?: number; background?: number; font?: number; graphicsExposures?: number };

/** npm x11's client with the requests that only the drawer makes, beside those of sandbox/x11/x11.d.ts. None of them has an answer. */
export type DrawingClient = Omit<x11.Client, 'CreateGC' | 'ChangeGC'> & {
  CreateGC(id: number, drawable: number, values: PenValues): void;
  ChangeGC(id: number, values: PenValues): void;
  CreatePixmap(id: number, drawable: number, depth: number, width: number, height: number): void;
  /** `format` 2: ZPixmap, here four bytes a pixel: blue, green, red, nothing. */
  PutImage(
    format: number,
    drawable: number,
    pen: number,
    width: number,
    height: number,
    x: number,
    y: number,
    leftPad: number,
    depth: number,
    data: Buffer,
  ): void;
  CopyArea(
    from: number,
    to: number,
    pen: number,
    fromX: number,
    fromY: number,
    toX: number,
    toY: number,
    width: number,
    height: number,
  ): void;
  OpenFont(id: number, name: string): void;
  /** Latin-1, at most 255 characters; their boxes are filled with the background first. */
  ImageText8(drawable: number, pen: number, x: number, y: number, text: string): void;
  UnmapWindow(window: number): void;
};
