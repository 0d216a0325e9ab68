import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, chromiumPath, openChromium, phone } from '../../e2e/clients/chromium.ts';
import { openViewer } from '../testing/open-viewer.ts';
import { quarters } from '../testing/scene.ts';
import { startStandInCore } from '../testing/stand-in-core.ts';
import { canEncode } from '../testing/stand-in-stream.ts';

const cannot = chromiumPath === undefined ? 'no Chromium' : (await canEncode()) ? null : 'no node-av';

/** A decoder that takes everything and shows nothing, without an error: what some phones do. */
const decoderThatShowsNothing = `
  class Nothing extends EventTarget {
    state = 'unconfigured'; decodeQueueSize = 0;
    configure() { this.state = 'configured'; }
    decode() {}
    close() { this.state = 'closed'; }
  }
  if (!sessionStorage.getItem('works')) globalThis.VideoDecoder = Nothing;
`;

describe.skipIf(cannot)(`how soon a phone sees what a desktop does${cannot ? ` (${cannot})` : ''}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium(phone);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  it('keeps up with the moving picture, and with that of a new streamer', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await expect.poll(() => core.subscribers[0]?.sent).toBeGreaterThan(20);
    expect(core.subscribers[0]?.skipped).toBeLessThan(5);
    core.restartStreamer();
    await expect.poll(() => core.subscribers[1]?.sent).toBeGreaterThan(20);
    expect(core.subscribers[1]?.skipped).toBeLessThan(25);
  });

  it('a picture that comes after a pause is no sign of being behind', { retry: 2 }, async () => {
    let moving = true;
    await using core = await startStandInCore(quarters(640, 360, () => moving));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    moving = false;
    await viewer.page.waitForTimeout(1000);
    const skipped = core.subscribers[0]?.skipped;
    moving = true;
    const sent = core.subscribers[0]?.sent ?? 0;
    await expect.poll(() => core.subscribers[0]?.sent).toBeGreaterThan(sent + 10);
    expect(core.subscribers[0]?.skipped).toBe(skipped);
  });

  it('ends a live page within a second when its desktop stops', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const since = performance.now();
    core.refuse('stopped', 'it was idle');
    await viewer.reaches('ended');
    expect(performance.now() - since).toBeLessThan(1000);
  });

  it('shows stills within 1.5 s when the host finds the link too slow', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const since = performance.now();
    core.decide(false, 'slow');
    await viewer.reaches('stills');
    expect(performance.now() - since).toBeLessThan(1500);
  });

  it('gives up soon on video that never appears, says so, and tries it again when tapped', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page, decoderThatShowsNothing);
    const since = performance.now();
    await viewer.reaches('stills');
    expect(performance.now() - since).toBeLessThan(5000);
    expect(await viewer.note()).toMatch(/does not appear on this device.*Tap to retry/);
    await viewer.page.locator('#note').tap();
    await viewer.page.waitForTimeout(1000);
    expect(await viewer.note()).toBeNull();
    await expect.poll(() => viewer.note()).toMatch(/does not appear/);
  });
});
