import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import type { XDisplay } from '../../sandbox/drivers/driver.ts';

/** What draw.ts is told first. */
export interface DrawSetup {
  display: XDisplay;
  /** Paths of the PNGs of the two pages. */
  pages: readonly string[];
}

/** What it is to do. What moves goes on until `nothing`, which brings the first page back, or until something else moves. */
export type DrawOrder =
  | { draw: 'page'; page: number }
  | { draw: 'small'; code: number }
  | { draw: 'video' | 'motion' | 'scrolling' | 'clock' | 'nothing' };

/** When the drawing was sent to the X server: milliseconds of this machine's clock. */
export type DrawnAt = { at: number };

/** A program of our own on a screen, that draws on cue. */
export interface Drawer extends AsyncDisposable {
  /** Resolves, when the X server has drawn it, with the time at which it was asked to. */
  draw(order: DrawOrder): Promise<number>;
}

const drawnAt = z.object({ at: z.number() });

/** Starts drawing on a display: its first page covers the screen. */
export async function startDrawer(setup: DrawSetup): Promise<Drawer> {
  const child = fork(join(import.meta.dirname, 'draw.ts'));
  const ready = answerOf(child);
  // not as an argument, which everybody on the machine could read: the cookie is in it
  child.send(setup);
  await ready;
  return {
    async draw(order) {
      const answer = answerOf(child);
      child.send(order);
      return drawnAt.parse(await answer).at;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const stop = new AbortController();
  const { signal } = stop;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the program that draws ended with ${code}`);
  });
  // When the answer has come nobody waits for the end any more.
  ended.catch(() => {});
  const [answer] = await Promise.race([once(child, 'message', { signal }), ended]).finally(() => stop.abort());
  return answer;
}
