import { shareOf } from '../input/scale.ts';
import type { ServerMessage } from '../protocol.ts';
import type { XConnection } from '../x11/connect.ts';
import { type CursorState, type CursorWatch, watchCursor } from '../x11/cursor.ts';
import type { XScreen } from '../x11/screen.ts';

/** The pointer, told apart from the picture: it moves without a new one. */
export interface CursorFeed {
  /** Whether there is anybody to tell. */
  watch(wanted: boolean): void;
  /** For who comes now: place and shape. */
  last(): ServerMessage | undefined;
}

/** Tells where the pointer is while somebody watches, and what it looks like when that has changed. */
export function createCursorFeed(x: XConnection, screen: XScreen, tell: (message: ServerMessage) => void): CursorFeed {
  let wanted = false;
  let watching: Promise<CursorWatch> | undefined;
  let watch: CursorWatch | undefined;

  function message({ x: left, y: top, shape }: CursorState, shaped: boolean): ServerMessage {
    const { width, height } = screen.size;
    const { png, hotX, hotY, visible } = shape;
    return {
      type: 'cursor',
      x: shareOf(left, width),
      y: shareOf(top, height),
      visible,
      ...(shaped && { image: { png: png.toString('base64'), hotX, hotY } }),
    };
  }

  async function begin(): Promise<CursorWatch> {
    const begun = await watchCursor(x, (state, shaped) => tell(message(state, shaped)));
    if (!wanted) {
      begun.stop();
      watching = undefined;
      return begun;
    }
    watch = begun;
    tell(message(begun.state, true));
    return begun;
  }

  return {
    watch(now) {
      wanted = now;
      if (wanted) {
        // A lost connection is told by the connection itself.
        watching ??= begin();
        watching.catch(() => undefined);
        return;
      }
      if (!watch) return;
      watch.stop();
      watch = undefined;
      watching = undefined;
    },
    last: () => (watch ? message(watch.state, true) : undefined),
  };
}
