import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Page } from './chromium.ts';
import type { Spot } from './scenes.ts';

/** Looks at the canvas of a page, frame by frame, for the colours that the drawer draws. */
export interface CanvasProbe {
  /** Begins to look for this colour at all of these spots. */
  watch(spots: readonly Spot[], code: number): Promise<void>;
  /** When the watched colour was seen: milliseconds of this machine's clock. Throws an Error when it was not within 10 s. */
  seen(): Promise<number>;
  /** How often the colour at a spot changed within so many milliseconds: pictures, where each has another than the one before. */
  countChanges(spot: Spot, ms: number): Promise<{ changes: number; ms: number }>;
  /** Frames a second that the browser makes here at best. */
  frameRate(): Promise<number>;
  /** The canvas as it is, as a PNG. */
  still(): Promise<Buffer>;
}

/** Puts the probe into every document that the page opens from now on, whatever is drawn there and how. */
export async function installProbe(page: Page): Promise<CanvasProbe> {
  await page.runFirst(await readFile(join(import.meta.dirname, 'probe-in-page.js'), 'utf8'));
  const number = async (expression: string) => z.number().parse(await page.evaluate(expression));
  return {
    async watch(spots, code) {
      await page.evaluate(`probe.watch(${JSON.stringify(spots)}, ${code})`);
    },
    seen: async () => (await number('probe.seen()')) - (await clockAhead(page)),
    async countChanges(spot, ms) {
      const counted = await page.evaluate(`probe.countChanges(${JSON.stringify(spot)}, ${ms})`);
      return z.object({ changes: z.number(), ms: z.number() }).parse(counted);
    },
    frameRate: () => number('probe.frameRate(2000)'),
    async still() {
      const url = z.string().parse(await page.evaluate('probe.still()'));
      return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
    },
  };
}

/**
 * By how many milliseconds the page's clock is ahead of ours: each process reads the machine's once, when it starts or a document opens,
 * and that may have been put right since.
 */
async function clockAhead(page: Page): Promise<number> {
  let best = { trip: Number.POSITIVE_INFINITY, ahead: 0 };
  for (let n = 0; n < 3; n++) {
    const asked = performance.timeOrigin + performance.now();
    const there = z.number().parse(await page.evaluate('performance.timeOrigin + performance.now()'));
    const answered = performance.timeOrigin + performance.now();
    if (answered - asked < best.trip) best = { trip: answered - asked, ahead: there - (asked + answered) / 2 };
  }
  // a difference that the measurement itself may have made is none
  return Math.abs(best.ahead) > best.trip / 2 ? best.ahead : 0;
}
