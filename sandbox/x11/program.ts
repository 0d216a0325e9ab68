import type x11 from 'x11';
import { predefinedAtom } from './atoms.ts';
import { type XConnection, XRequestError } from './connect.ts';

/** The program whose window has the keyboard. */
export interface FocusedProgram {
  window: number;
  /** The first part of its WM_CLASS: `xterm`, `chromium` (ICCCM 4.1.2.5). */
  name: string;
}

const noWindows = [0, 1];
const wmClassWords = 64;

/** Finds the window that has the keyboard, or the nearest around it that says what it is. Undefined when there is none. */
export async function focusedProgram(x: XConnection): Promise<FocusedProgram | undefined> {
  const { focus } = await x.ask<{ focus: number }>((reply) => x.client.GetInputFocus(reply));
  const { child } = await x.ask<{ child: number }>((reply) => x.client.QueryPointer(x.root, reply));
  // Without a window manager the keyboard belongs to the window below the pointer.
  let window = noWindows.includes(focus) ? child : focus;
  try {
    while (!noWindows.includes(window) && window !== x.root) {
      const name = await nameOf(x, window);
      if (name) return { window, name };
      window = (await x.ask<{ parent: number }>((reply) => x.client.QueryTree(window, reply))).parent;
    }
  } catch (error) {
    // It was closed meanwhile.
    if (!(error instanceof XRequestError)) throw error;
  }
  return undefined;
}

async function nameOf(x: XConnection, window: number): Promise<string> {
  const { data } = await x.ask<x11.Property>((reply) =>
    x.client.GetProperty(0, window, predefinedAtom.wmClass, predefinedAtom.string, 0, wmClassWords, reply),
  );
  const [name = ''] = data.toString('latin1').split('\0');
  return name;
}
