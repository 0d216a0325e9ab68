import { setTimeout as sleep } from 'node:timers/promises';
import type { Clipboard } from '../x11/clipboard.ts';
import type { XConnection } from '../x11/connect.ts';
import { focusedProgram } from '../x11/program.ts';
import type { Keyboard } from './keyboard.ts';
import { keysym } from './keysyms.ts';

/**
 * Programs that take a text by ctrl+V. Only browsers: a terminal would take it for a key, or run nothing of what is pasted, and typing
 * is as fast there.
 */
const browsers = /^(chromium|google-chrome|chrome|firefox|navigator)/i;
/** A program that does not fetch the clipboard by then has not taken ctrl+V for a paste. */
const servedWithinMs = 1000;
/** Chromium fetches the text twice, 10 ms apart when it is not busy: so long after the last fetch it is done. */
const quietMs = 300;

/**
 * Puts a text where the keyboard is by the clipboard, and puts back what was in it.
 *
 * @returns false when the program that has the keyboard is no browser, or does not fetch the text: it has to be typed
 */
export async function pasteText(
  text: string,
  { x, clipboard, keyboard }: { x: XConnection; clipboard: Clipboard; keyboard: Keyboard },
): Promise<boolean> {
  const program = await focusedProgram(x);
  if (!program || !browsers.test(program.name)) return false;

  const before = clipboard.text;
  await clipboard.offer(text);
  let served = 0;
  const stop = clipboard.onServed(() => {
    served++;
  });
  try {
    await keyboard.chord([keysym.controlLeft], 'v'.charCodeAt(0));
    await untilQuiet(() => served);
    return served > 0;
  } finally {
    stop();
    if (before !== undefined) await clipboard.offer(before);
  }
}

/** Waits for the first fetch, and then until none has come for a while. */
async function untilQuiet(count: () => number): Promise<void> {
  const stepMs = 10;
  const from = performance.now();
  let seen = 0;
  let since = from;
  for (;;) {
    await sleep(stepMs);
    const now = performance.now();
    if (count() !== seen) {
      seen = count();
      since = now;
    }
    if (now - since > (seen === 0 ? servedWithinMs : quietMs)) return;
  }
}
