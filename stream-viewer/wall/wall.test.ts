import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, chromiumPath, openChromium, phone } from '../../e2e/clients/chromium.ts';
import { openViewer } from '../testing/open-viewer.ts';
import { quarters } from '../testing/scene.ts';
import { goodToken, type StandInCore, startStandInCore } from '../testing/stand-in-core.ts';
import type { ListedDesktop } from './list-desktops.ts';

const cannot = chromiumPath === undefined ? 'no Chromium' : null;

function desktop(core: StandInCore, id: string, changes: Partial<ListedDesktop> = {}): ListedDesktop {
  const size = { width: 640, height: 360 };
  const url = `${core.origin}/d/${id}#${goodToken}`;
  return { id, title: `Ada ${id}`, subtitle: 'Invoices', state: 'running', ...size, url, ...changes };
}

describe.skipIf(cannot)(`the wall${cannot ? ` (${cannot})` : ''}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium(phone);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  it('shows each desktop with its picture, and a tap opens it', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    core.behaviour.desktops = [desktop(core, 'd-1'), desktop(core, 'd-2', { state: 'starting' })];
    await using viewer = await openViewer(browser.context, `${core.origin}/wall#${goodToken}`);
    await viewer.reaches('live');
    expect(viewer.page.url()).toBe(`${core.origin}/wall`);
    expect(await viewer.page.locator('#state').textContent()).toBe('1 of 2 running');
    const tiles = viewer.page.getByRole('link');
    expect(await tiles.nth(1).getAttribute('aria-label')).toBe('Ada d-2. Invoices. It is starting.');
    await expect.poll(() => tiles.first().locator('canvas').getAttribute('width')).toBe('640');
    await tiles.first().tap();
    await viewer.page.waitForURL(`${core.origin}/d/d-1`);
    await viewer.page.locator('#screen').waitFor();
  });

  it('renews what can be seen once a second, and only if it has changed', async () => {
    let moving = true;
    await using core = await startStandInCore(quarters(640, 360, () => moving));
    core.behaviour.desktops = [desktop(core, 'd-1')];
    await using viewer = await openViewer(browser.context, `${core.origin}/wall#${goodToken}`);
    await viewer.reaches('live');
    const before = core.stills.length;
    const since = performance.now();
    await expect.poll(() => core.stills.length - before).toBeGreaterThanOrEqual(5);
    // And one as it comes into sight, and one at once.
    expect(core.stills.length - before).toBeLessThanOrEqual((performance.now() - since) / 1000 + 2);
    moving = false;
    await expect.poll(() => core.stills.at(-1)?.status).toBe(304);
  });

  it('asks for no picture of what is out of sight', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    core.behaviour.desktops = Array.from({ length: 12 }, (_, index) => desktop(core, `d-${index}`));
    await using viewer = await openViewer(browser.context, `${core.origin}/wall#${goodToken}`);
    await viewer.reaches('live');
    const drawn = () => viewer.page.locator('canvas[width="640"]').count();
    await expect.poll(drawn).toBeGreaterThanOrEqual(2);
    await viewer.page.waitForTimeout(1500);
    expect(await drawn()).toBeLessThanOrEqual(4);
    await viewer.page.getByRole('link').last().scrollIntoViewIfNeeded();
    await expect.poll(() => viewer.page.locator('canvas').last().getAttribute('width')).toBe('640');
  });

  it('follows the list: what has gone goes, what is new comes', { timeout: 40_000 }, async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, `${core.origin}/wall#${goodToken}`);
    await viewer.reaches('live');
    expect(await viewer.card()).toMatch(/No desktops yet/);
    core.behaviour.desktops = [desktop(core, 'd-7')];
    await expect.poll(() => viewer.page.getByRole('link').count()).toBe(1);
    expect(await viewer.card()).toBeNull();
    core.behaviour.desktops = [];
    await expect.poll(() => viewer.page.getByRole('link').count()).toBe(0);
  });

  it('says what to do when the link is over or the core is away', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using expired = await openViewer(browser.context, `${core.origin}/wall#expired`);
    await expired.reaches('error');
    expect(await expired.card()).toMatch(/expired.*“wall”/);
    core.behaviour.desktops = null;
    await using away = await openViewer(browser.context, `${core.origin}/wall#${goodToken}`);
    await away.reaches('error');
    expect(await away.card()).toMatch(/cannot be fetched/);
    core.behaviour.desktops = [desktop(core, 'd-1')];
    await away.page.locator('#card-retry').tap();
    await away.reaches('live');
  });

  it('sends no token to another site', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    const elsewhere = core.origin.replace('127.0.0.1', 'localhost');
    core.behaviour.desktops = [desktop(core, 'd-1', { url: `${elsewhere}/d/d-1#${goodToken}` })];
    await using viewer = await openViewer(browser.context, `${core.origin}/wall#${goodToken}`);
    await viewer.reaches('live');
    await viewer.page.waitForTimeout(1500);
    expect(core.stills).toEqual([]);
  });
});
