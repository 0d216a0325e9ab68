import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, chromiumPath, openChromium, phone } from '../../e2e/clients/chromium.ts';
import { encodePatch } from '../../sandbox/protocol.ts';
import { openViewer } from '../testing/open-viewer.ts';
import { quarterColours, quarters } from '../testing/scene.ts';
import { type AskedStill, goodToken, startStandInCore } from '../testing/stand-in-core.ts';
import { canEncode } from '../testing/stand-in-stream.ts';

const cannot = chromiumPath === undefined ? 'no Chromium' : (await canEncode()) ? null : 'no node-av';

/** A decoder whose pictures come out 400 ms late. */
const decoderThatIsLate = `
  const Real = globalThis.VideoDecoder;
  globalThis.VideoDecoder = class extends Real {
    constructor({ output, error }) { super({ output: (picture) => setTimeout(() => output(picture), 400), error }); }
  };
`;

/** A part of the screen in one colour, drawn now on the host's clock, with a number that no picture of a test reaches. */
async function patchOf(colour: readonly number[], at: { x: number; y: number }): Promise<Uint8Array> {
  const [r = 0, g = 0, b = 0] = colour;
  const data = await sharp({ create: { width: 64, height: 64, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
  return encodePatch({ sequence: 5000, ptsMicroseconds: BigInt(Math.round(performance.now() * 1000)), ...at, data });
}

/** What an element of the page says from now on, however shortly. */
async function follow(page: Page, id: string): Promise<() => Promise<string[]>> {
  await page.evaluate(`(() => {
    const element = document.getElementById('${id}');
    globalThis.said = [];
    new MutationObserver(() => said.push(element.textContent)).observe(element, { childList: true, subtree: true });
  })()`);
  return () => page.evaluate<string[]>('said');
}

describe.skipIf(cannot)(`watching a desktop on a phone${cannot ? ` (${cannot})` : ''}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium(phone);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  it('shows the moving picture in its own colours', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    for (const [across, down, colour] of [
      [0.2, 0.2, quarterColours.red],
      [0.8, 0.2, quarterColours.green],
      [0.2, 0.8, quarterColours.blue],
      [0.8, 0.8, quarterColours.white],
    ] as const) {
      const seen = await viewer.colourAt(across, down);
      const furthest = Math.max(...colour.map((part, index) => Math.abs((seen[index] ?? 0) - part)));
      expect(furthest, `${seen} instead of ${colour}`).toBeLessThan(8);
    }
  });

  it('puts a small change over the picture exactly as it is, and the next picture over that', async () => {
    let moving = false;
    await using core = await startStandInCore(quarters(640, 360, () => moving));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const seen = () => viewer.colourAt(132 / 640, 92 / 360);
    core.send(await patchOf([1, 254, 77], { x: 100, y: 60 }));
    await expect.poll(seen).toEqual([1, 254, 77]);
    expect((await viewer.colourAt(80 / 640, 92 / 360))[0]).toBeGreaterThan(200);
    moving = true;
    await expect.poll(async () => (await seen())[0]).toBeGreaterThan(200);
  });

  it('keeps a small change over a picture that was sent before it and comes out of the decoder after it', async () => {
    await using core = await startStandInCore(quarters(640, 360, () => false));
    await using viewer = await openViewer(browser.context, core.page, decoderThatIsLate);
    await expect.poll(() => core.subscribers[0]?.sent).toBe(1);
    core.send(await patchOf([1, 254, 77], { x: 100, y: 60 }));
    await viewer.reaches('live');
    await expect.poll(() => viewer.colourAt(132 / 640, 92 / 360)).toEqual([1, 254, 77]);
    expect((await viewer.colourAt(80 / 640, 92 / 360))[0]).toBeGreaterThan(200);
  });

  it('acknowledges a small change that it has no more use for: video would never be sent again otherwise', async () => {
    await using core = await startStandInCore(quarters(640, 360, () => false));
    const slowly = 'globalThis.createImageBitmap = () => new Promise(() => {});';
    await using viewer = await openViewer(browser.context, core.page, slowly);
    await viewer.reaches('live');
    core.send(await patchOf([1, 254, 77], { x: 100, y: 60 }));
    await sleep(300);
    expect(core.acknowledgements).not.toContain(5000);
    core.decide(false, 'slow');
    await expect.poll(() => core.acknowledgements).toContain(5000);
  });

  it('goes on when a patch cannot be read', async () => {
    await using core = await startStandInCore(quarters(640, 360, () => false));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.send(encodePatch({ sequence: 5000, ptsMicroseconds: 1n, x: 0, y: 0, data: Buffer.from('no picture') }));
    core.send(await patchOf([1, 254, 77], { x: 100, y: 60 }));
    await expect.poll(() => viewer.colourAt(132 / 640, 92 / 360)).toEqual([1, 254, 77]);
    expect(await viewer.page.evaluate('document.body.dataset.state')).toBe('live');
  });

  it('takes the token out of the address, says it in the first message, and survives a reload', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    expect(viewer.page.url()).toBe(`${core.origin}/d/d-1`);
    expect(core.messages[0]).toEqual({ type: 'auth', token: goodToken });
    await viewer.page.reload();
    await viewer.reaches('live');
  });

  it('reconnects with the token that the core sent last', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.say({ type: 'token', token: 'expired' });
    await expect.poll(() => viewer.page.evaluate("sessionStorage.getItem('switchboard:/d/d-1')")).toBe('expired');
    core.drop();
    await viewer.reaches('error');
    expect(core.messages.filter(({ type }) => type === 'auth').at(-1)).toEqual({ type: 'auth', token: 'expired' });
  });

  it.each([
    ['expired', 'error', /expired[\s\S]*“desktop” in the thread/],
    ['revoked', 'ended', /withdrawn[\s\S]*“desktop” in the thread/],
    ['stopped', 'ended', /has stopped[\s\S]*“desktop”/],
    ['forged', 'error', /does not open this desktop[\s\S]*“desktop” in the thread/],
  ])('says what to do when the link is %s', async (token, state, words) => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, `${core.origin}/d/d-1#${token}`);
    await viewer.reaches(state);
    expect(await viewer.card()).toMatch(words);
    await viewer.page.waitForTimeout(700);
    expect(core.connections).toBe(1);
  });

  it('says that the address is not whole when it has no token, and asks nobody', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, `${core.origin}/d/d-2`);
    await viewer.reaches('error');
    expect(await viewer.card()).toMatch(/not the whole link/);
    expect(core.connections).toBe(0);
  });

  it('ends a live page when its desktop stops', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.refuse('stopped', 'it was idle');
    await viewer.reaches('ended');
  });

  it('connects again after the network was away, and keeps the last picture meanwhile', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.behaviour.isAway = true;
    core.drop();
    await viewer.reaches('connecting');
    expect(await viewer.card()).toMatch(/Reconnecting/);
    core.behaviour.isAway = false;
    await viewer.reaches('live');
    expect(await viewer.card()).toBeNull();
  });

  it('says what the core says while a desktop is away, and comes back with it', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const said = await follow(viewer.page, 'card');
    core.behaviour.isAway = true;
    core.refuse('unavailable', 'Its host is gone; another one takes over.');
    await expect.poll(said).toContainEqual(expect.stringMatching(/another one takes over/));
    core.behaviour.isAway = false;
    await viewer.reaches('live');
  });

  it('goes on with a new streamer on the same socket', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.restartStreamer();
    await expect.poll(() => core.subscribers[1]?.sent).toBeGreaterThan(20);
    await viewer.reaches('live');
    expect(core.connections).toBe(1);
  });

  it('goes over to stills when answers are slow, says so, and goes back only when it is tapped', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.behaviour.pongAfterMs = 260;
    await viewer.reaches('stills');
    expect(await viewer.note()).toBe('Video paused to save bandwidth. Tap to retry.');
    expect(core.messages).toContainEqual({ type: 'set_video_enabled', enabled: false });
    await expect.poll(() => core.stills.length).toBeGreaterThan(5);
    const [red = 0, , blue = 0] = await viewer.colourAt(0.2, 0.2);
    expect(red - blue).toBeGreaterThan(150);

    core.behaviour.pongAfterMs = 0;
    await viewer.page.waitForTimeout(2500);
    await viewer.reaches('stills');
    await viewer.page.locator('#note').tap();
    await viewer.reaches('live');
    expect(await viewer.note()).toBeNull();
    const polled = core.stills.length;
    await viewer.page.waitForTimeout(500);
    expect(core.stills.length - polled).toBeLessThanOrEqual(1);
  });

  it('makes stills poorer while they are slow, at most ten a second, and fetches nothing anew that has not changed', {
    timeout: 60_000,
  }, async () => {
    let moving = true;
    await using core = await startStandInCore(
      quarters(640, 360, () => moving),
      { codec: 'jpeg', stillAfterMs: 550 },
    );
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('stills');
    await expect.poll(() => core.stills.at(-1)?.quality).toBeLessThanOrEqual(40);
    moving = false;
    await expect.poll(() => core.stills.slice(-2).map(({ status }) => status)).toEqual([304, 304]);
    // What stays on the screen is fetched once more, well readable.
    const isReadable = ({ ifNoneMatch, quality }: AskedStill) => !ifNoneMatch && quality >= 80;
    const drawn = () => core.stills.filter(({ status }) => status === 200);
    await expect.poll(() => drawn().slice(-1).map(isReadable)).toEqual([true]);
    const answered = core.stills.length;
    await expect.poll(() => core.stills.length).toBeGreaterThanOrEqual(answered + 4);
    expect(core.stills.slice(answered).map(({ status }) => status)).not.toContain(200);
    const readable = drawn().filter(isReadable).length;

    core.behaviour.stillAfterMs = 0;
    moving = true;
    const moved = performance.now();
    await expect.poll(() => core.stills.at(-1)?.quality).toBeGreaterThanOrEqual(60);
    const before = core.stills.length;
    const since = performance.now();
    await expect.poll(() => core.stills.length - before).toBeGreaterThanOrEqual(20);
    // And one that was asked for before, and one at once.
    expect(core.stills.length - before).toBeLessThanOrEqual((performance.now() - since) / 100 + 2);
    // What moves rests only where the machine pauses for 1.5 s.
    expect(drawn().filter(isReadable).length - readable).toBeLessThanOrEqual((performance.now() - moved) / 1500 - 1);
  });

  it('shows stills and says why when the host has no encoder', async () => {
    await using core = await startStandInCore(quarters(640, 360), { codec: 'jpeg' });
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('stills');
    expect(await viewer.note()).toMatch(/no video encoder/);
    expect(await viewer.page.locator('#note').isDisabled()).toBe(true);
  });

  it('shows stills and says why when the browser cannot decode', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page, 'delete globalThis.VideoDecoder');
    await viewer.reaches('stills');
    expect(await viewer.note()).toMatch(/too old for the video/);
  });

  it('shows stills and says why on an address that browsers do not trust', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    const untrusted = `Object.defineProperty(globalThis, 'isSecureContext', { value: false }); delete globalThis.VideoDecoder`;
    await using viewer = await openViewer(browser.context, core.page, untrusted);
    await viewer.reaches('stills');
    expect(await viewer.note()).toMatch(/https/);
  });

  it('shows stills when the host finds the link too slow', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.decide(false, 'slow');
    await viewer.reaches('stills');
    expect(await viewer.note()).toBe('Video paused to save bandwidth. Tap to retry.');
  });

  it('recovers from a broken stream by a keyframe', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    const breaksOnce = `
      const decode = VideoDecoder.prototype.decode;
      let pictures = 0;
      VideoDecoder.prototype.decode = function (chunk) {
        pictures += 1;
        if (pictures !== 10) return decode.call(this, chunk);
        decode.call(this, new EncodedVideoChunk({ type: 'delta', timestamp: chunk.timestamp, data: new Uint8Array(64).fill(7) }));
      };`;
    await using viewer = await openViewer(browser.context, core.page, breaksOnce);
    await viewer.reaches('live');
    await expect.poll(() => core.subscribers[0]?.sent).toBeGreaterThan(60);
    await viewer.reaches('live');
    expect(await viewer.note()).toBeNull();
  });

  it('names who watches and who controls', async () => {
    await using core = await startStandInCore(quarters(640, 360), {
      mode: 'watch',
      controller: 'Grace',
      viewers: ['Ada', 'Grace', 'Linus'],
    });
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    expect(await viewer.page.locator('#controls').textContent()).toBe('Grace controls');
    const watching = viewer.page.locator('#watching-summary');
    expect(await watching.getAttribute('aria-label')).toBe('3 watching: Ada, Grace and 1 more');
    await watching.tap();
    expect(await viewer.page.locator('#watching-list li').allTextContents()).toEqual(['Ada', 'Grace', 'Linus']);
    expect(await viewer.page.locator('#take').isVisible()).toBe(false);
  });

  it('tells a screen reader what has happened', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const voice = viewer.page.getByRole('status');
    await expect.poll(() => voice.first().textContent()).toMatch(/on the screen, live/);
    core.refuse('stopped', 'it was idle');
    await expect.poll(() => voice.first().textContent()).toMatch(/has stopped/);
  });
});
