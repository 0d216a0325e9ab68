import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import sharp from 'sharp';
import { expect } from 'vitest';

/** A finger, in CSS pixels of the page. */
export interface Finger {
  x: number;
  y: number;
}

/** A page of the viewer in a real browser, and what a person sees and does there. */
export interface Viewer extends AsyncDisposable {
  readonly page: Page;
  /** Waits until the page is in this state. */
  reaches(state: string): Promise<void>;
  /** The colour at a place of the picture, from 0 to 1 across and down, as the person sees it. */
  colourAt(across: number, down: number): Promise<readonly number[]>;
  /** Where that place of the picture is on the page. */
  place(across: number, down: number): Promise<Finger>;
  /** Taps there; the page has heard it. */
  tap(across: number, down: number): Promise<void>;
  /** Moves fingers along their paths, which are equally long, one step at a time; the page has heard it. */
  fingers(...paths: readonly (readonly Finger[])[]): Promise<void>;
  note(): Promise<string | null>;
  card(): Promise<string | null>;
}

/** Opens an address in a page of its own. `before` runs in the page before anything else. */
export async function openViewer(context: BrowserContext, address: string, before?: string): Promise<Viewer> {
  const page = await context.newPage();
  // No fading: what covers the picture while the page connects is gone at once, and colours are the picture's.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text()))
      errors.push(message.text());
  });
  if (before) await page.addInitScript({ content: before });
  await page.goto(address);
  const picture = page.locator('#screen');
  let cdp: CDPSession | undefined;

  async function touch(type: 'touchStart' | 'touchMove' | 'touchEnd', points: readonly Finger[]): Promise<void> {
    cdp ??= await context.newCDPSession(page);
    const touchPoints = points.map(({ x, y }, id) => ({ x, y, id }));
    await cdp.send('Input.dispatchTouchEvent', { type, touchPoints });
  }
  async function place(across: number, down: number): Promise<Finger> {
    const box = await picture.boundingBox();
    if (!box) throw new Error('there is no picture');
    return { x: box.x + box.width * across, y: box.y + box.height * down };
  }
  /** The browser answers before the page has heard of what fingers did: waits for its last pointerup, too. */
  async function untilLifted(count: number, touches: () => Promise<void>): Promise<void> {
    await page.evaluate(`void (globalThis.lifted = new Promise((resolve) => {
      let left = ${count};
      addEventListener('pointerup', () => {
        left -= 1;
        if (left === 0) resolve();
      });
    }))`);
    await touches();
    await page.evaluate('lifted');
  }
  async function textOf(selector: string): Promise<string | null> {
    const found = page.locator(selector);
    return (await found.isVisible()) ? ((await found.textContent()) ?? '').replaceAll(/\s+/g, ' ').trim() : null;
  }

  return {
    page,
    async reaches(state) {
      await expect.poll(() => page.evaluate('document.body.dataset.state'), { interval: 30 }).toBe(state);
    },
    async colourAt(across, down) {
      const { x, y } = await place(across, down);
      const clip = { x: Math.floor(x) - 1, y: Math.floor(y) - 1, width: 3, height: 3 };
      const { channels } = await sharp(await page.screenshot({ clip })).stats();
      return channels.slice(0, 3).map(({ mean }) => Math.round(mean));
    },
    place,
    async tap(across, down) {
      const { x, y } = await place(across, down);
      await untilLifted(1, () => page.touchscreen.tap(x, y));
    },
    async fingers(...paths) {
      const steps = paths[0]?.length ?? 0;
      const at = (step: number) => paths.map((path) => path[step] ?? { x: 0, y: 0 });
      await untilLifted(paths.length, async () => {
        await touch('touchStart', at(0));
        for (let step = 1; step < steps; step += 1) await touch('touchMove', at(step));
        await touch('touchEnd', []);
      });
    },
    note: () => textOf('#note'),
    card: () => textOf('#card'),
    async [Symbol.asyncDispose]() {
      await page.close();
      expect(errors, 'errors in the page').toEqual([]);
    },
  };
}

/** Points from one place to another. */
export function path(from: Finger, to: Finger, steps = 8): Finger[] {
  return Array.from({ length: steps + 1 }, (_, step) => ({
    x: from.x + ((to.x - from.x) * step) / steps,
    y: from.y + ((to.y - from.y) * step) / steps,
  }));
}
