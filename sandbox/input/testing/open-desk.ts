import { openEventWindow } from '../../testing/event-window.ts';
import { startTestXServer } from '../../testing/x-server.ts';
import { connectX } from '../../x11/connect.ts';
import { openScreen, type ScreenSize } from '../../x11/screen.ts';
import { createInput } from '../create-input.ts';

/** A screen of its own with our input on it, and a program that covers it and sees what arrives. */
export async function openDesk(size: ScreenSize = { width: 800, height: 600 }) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startTestXServer(size));
  const x = stack.use(await connectX(server.display));
  const window = stack.use(await openEventWindow(server.display));
  const screen = await openScreen(x);
  const input = await createInput(x, screen);
  return {
    display: server.display,
    screen,
    input,
    window,
    /** Modifiers and buttons that are down, as X counts them. */
    state: async () => (await x.ask<{ keyMask: number }>((reply) => x.client.QueryPointer(x.root, reply))).keyMask,
    keysDown: async () => {
      const keys = await x.ask<Buffer>((reply) => x.client.QueryKeymap(reply));
      return [...keys].filter((bits) => bits !== 0);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
