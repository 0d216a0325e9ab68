import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, chromiumPath, openChromium, phone } from '../../e2e/clients/chromium.ts';
import type { Input } from '../../sandbox/protocol.ts';
import { openViewer, path } from '../testing/open-viewer.ts';
import { quarters } from '../testing/scene.ts';
import { startStandInCore } from '../testing/stand-in-core.ts';
import { canEncode } from '../testing/stand-in-stream.ts';
import { typed } from '../testing/typed.ts';

const cannot = chromiumPath === undefined ? 'no Chromium' : (await canEncode()) ? null : 'no node-av';
const sentence = 'héllo 世界 🙂';

/** Where the pointer was when a button went down, from 0 to 1 across and down. */
function clicks(inputs: readonly Input[], button = 1): [number, number][] {
  const found: [number, number][] = [];
  let at: [number, number] = [Number.NaN, Number.NaN];
  for (const input of inputs) {
    if (input.type === 'pointer') at = [input.x / 65535, input.y / 65535];
    if (input.type === 'button' && input.down && input.button === button) found.push(at);
  }
  return found;
}

function expectAt(found: [number, number] | undefined, across: number, down: number): void {
  expect(found?.[0]).toBeCloseTo(across, 2);
  expect(found?.[1]).toBeCloseTo(down, 2);
}

/** What is typed from now on is written into the field. */
async function openKeyboard(page: Page): Promise<void> {
  const button = page.locator('#keyboard');
  await button.tap();
  await expect.poll(() => button.getAttribute('aria-pressed')).toBe('true');
  expect(await page.evaluate('document.activeElement.id')).toBe('field');
}

describe.skipIf(cannot)(`controlling a desktop from a phone${cannot ? ` (${cannot})` : ''}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium(phone);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  it('asks for control with the first tap, and the tap is not lost', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.tap(0.75, 0.25);
    await expect.poll(() => core.inputs.length).toBeGreaterThanOrEqual(3);
    expect(core.messages.filter(({ type }) => type === 'request_control')).toHaveLength(1);
    expectAt(clicks(core.inputs)[0], 0.75, 0.25);
    expect(core.inputs.slice(-2)).toEqual([
      { type: 'button', down: true, button: 1 },
      { type: 'button', down: false, button: 1 },
    ]);
    await expect.poll(() => viewer.page.locator('#controls').textContent()).toBe('You control');
  });

  it('keeps a tap for no longer than a moment when control is not given, and says so', async () => {
    await using core = await startStandInCore(quarters(640, 360), { controlAfterMs: null });
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.tap(0.5, 0.5);
    await expect.poll(() => viewer.page.locator('#toast').textContent()).toMatch(/not given/);
    core.say({ type: 'controller', name: 'Ada', you: true });
    await viewer.page.waitForTimeout(200);
    expect(core.inputs).toEqual([]);
  });

  it('takes nothing from somebody who controls, unless told to', async () => {
    await using core = await startStandInCore(quarters(640, 360), { controller: 'Grace' });
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.tap(0.5, 0.5);
    await expect.poll(() => viewer.page.locator('#toast').isVisible()).toBe(true);
    expect(core.messages.some(({ type }) => type === 'request_control')).toBe(false);
    await viewer.page.locator('#take').tap();
    await expect.poll(() => viewer.page.locator('#controls').textContent()).toBe('You control');
    await viewer.page.locator('#take').tap();
    await expect.poll(() => core.messages.some(({ type }) => type === 'release_control')).toBe(true);
    await expect.poll(() => viewer.page.locator('#controls').isVisible()).toBe(false);
  });

  it('sends nothing with a link for watching, and says what to do', async () => {
    await using core = await startStandInCore(quarters(640, 360), { mode: 'watch' });
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.tap(0.5, 0.5);
    await expect.poll(() => viewer.page.locator('#toast').textContent()).toMatch(/for watching/);
    expect(core.inputs).toEqual([]);
    expect(core.messages.some(({ type }) => type === 'request_control')).toBe(false);
  });

  it('types what a phone’s keyboard writes, exactly', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.tap(0.5, 0.5);
    await expect.poll(() => core.inputs).toContainEqual({ type: 'button', down: false, button: 1 });
    await openKeyboard(viewer.page);
    await viewer.page.keyboard.insertText(sentence);
    await expect.poll(() => typed(core.inputs)).toBe(sentence);
  });

  it('types what a real keyboard writes, exactly, and lets go of every key', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.tap(0.5, 0.5);
    await expect.poll(() => core.inputs).toContainEqual({ type: 'button', down: false, button: 1 });
    await viewer.page.keyboard.type(`${sentence} A-b`);
    await viewer.page.keyboard.press('Enter');
    await expect.poll(() => typed(core.inputs)).toBe(`${sentence} A-b\n`);
    const held = () => {
      const keysyms = new Set<number>();
      for (const input of core.inputs) {
        if (input.type !== 'key') continue;
        if (input.down) keysyms.add(input.keysym);
        else keysyms.delete(input.keysym);
      }
      return [...keysyms];
    };
    await expect.poll(held).toEqual([]);
  });

  it('types what an input method has put together, once, when it is done', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.tap(0.5, 0.5);
    await expect.poll(() => core.inputs).toContainEqual({ type: 'button', down: false, button: 1 });
    await openKeyboard(viewer.page);
    const cdp = await browser.context.newCDPSession(viewer.page);
    for (const text of ['n', 'ni', 'nih', 'nihao'])
      await cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    await expect.poll(() => viewer.page.locator('#composing').textContent()).toBe('nihao');
    expect(typed(core.inputs)).toBe('');
    await cdp.send('Input.insertText', { text: '你好' });
    await expect.poll(() => typed(core.inputs)).toBe('你好');
    await viewer.page.keyboard.press('Backspace');
    await expect.poll(() => typed(core.inputs)).toBe('你好<back>');
    expect(await viewer.page.locator('#composing').isVisible()).toBe(false);
  });

  it('has the keys that a phone lacks: Ctrl for the next key, Escape, arrows', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.tap(0.5, 0.5);
    await expect.poll(() => core.inputs.length).toBeGreaterThanOrEqual(3);
    await openKeyboard(viewer.page);
    core.inputs.length = 0;
    const ctrl = viewer.page.getByRole('button', { name: 'Ctrl' });
    await ctrl.tap();
    await expect.poll(() => ctrl.getAttribute('aria-pressed')).toBe('true');
    await viewer.page.keyboard.insertText('c');
    await expect.poll(() => typed(core.inputs)).toBe('c');
    await viewer.page.getByRole('button', { name: 'Esc' }).tap();
    await viewer.page.getByRole('button', { name: 'Up' }).tap();
    const key = (keysym: number, down: boolean) => ({ type: 'key', down, keysym });
    await expect
      .poll(() => core.inputs)
      .toEqual([
        key(0xffe3, true),
        key(0x63, true),
        key(0x63, false),
        key(0xffe3, false),
        key(0xff1b, true),
        key(0xff1b, false),
        key(0xff52, true),
        key(0xff52, false),
      ]);
    expect(await ctrl.getAttribute('aria-pressed')).toBe('false');
    expect(await viewer.page.evaluate('document.activeElement.id')).toBe('field');
  });

  it('clicks the second button after a long press', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    const vibrates = 'Navigator.prototype.vibrate = () => (globalThis.vibrated = true);';
    await using viewer = await openViewer(browser.context, core.page, vibrates);
    await viewer.reaches('live');
    const cdp = await browser.context.newCDPSession(viewer.page);
    const { x, y } = await viewer.place(0.25, 0.75);
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
    await expect.poll(() => viewer.page.evaluate('globalThis.vibrated')).toBe(true);
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await expect.poll(() => clicks(core.inputs, 3)).toHaveLength(1);
    expectAt(clicks(core.inputs, 3)[0], 0.25, 0.75);
    expect(clicks(core.inputs, 1)).toEqual([]);
  });

  it('drags with one finger', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.fingers(path(await viewer.place(0.2, 0.5), await viewer.place(0.6, 0.8)));
    await expect.poll(() => core.inputs.at(-1)).toEqual({ type: 'button', down: false, button: 1 });
    expectAt(clicks(core.inputs)[0], 0.2, 0.5);
    const last = core.inputs.findLast((input) => input.type === 'pointer');
    expectAt(last?.type === 'pointer' ? [last.x / 65535, last.y / 65535] : undefined, 0.6, 0.8);
  });

  it('scrolls with two fingers, in pixels of the desktop', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const from = await viewer.place(0.5, 0.7);
    const up = { x: from.x, y: from.y - 80 };
    const beside = ({ x, y }: typeof from) => ({ x: x + 60, y });
    await viewer.fingers(path(from, up), path(beside(from), beside(up)));
    const turned = () => core.inputs.reduce((sum, input) => (input.type === 'wheel' ? sum + input.dy : sum), 0);
    // 390 CSS pixels show 640 of the desktop's. The first movement only tells that it is no pinch.
    await expect.poll(turned).toBeGreaterThan(80);
    expect(turned()).toBeLessThanOrEqual(Math.ceil((80 * 640) / 390));
    expect(clicks(core.inputs)).toEqual([]);
  });

  it('enlarges the picture by pinching, and taps stay right', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const middle = await viewer.place(0.5, 0.5);
    const before = await viewer.place(1, 1);
    const spread = (from: number, to: number) =>
      path({ x: middle.x + from, y: middle.y }, { x: middle.x + to, y: middle.y });
    await viewer.fingers(spread(-30, -120), spread(30, 120));
    const corner = await viewer.place(1, 1);
    expect(corner.x - before.x).toBeGreaterThan(200);
    expect(core.inputs).toEqual([]);

    // One finger moves the picture about now.
    const left = await viewer.place(0, 0);
    await viewer.fingers(path(middle, { x: middle.x + 60, y: middle.y }));
    expect((await viewer.place(0, 0)).x - left.x).toBeCloseTo(60, 0);
    expect(core.inputs).toEqual([]);

    await viewer.tap(0.42, 0.55);
    await expect.poll(() => clicks(core.inputs)).toHaveLength(1);
    expectAt(clicks(core.inputs)[0], 0.42, 0.55);
    await viewer.page.locator('#zoom').tap();
    await expect.poll(async () => (await viewer.place(1, 1)).x).toBeCloseTo(before.x, 0);
  });

  it('asks for a desktop of the phone’s shape, and for the old one again', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    await viewer.page.locator('#take').tap();
    const fit = viewer.page.locator('#fit-screen');
    await fit.tap();
    const asked = () => core.messages.filter((message) => message.type === 'resize');
    await expect.poll(asked).toHaveLength(1);
    const [upright] = asked();
    expect(upright?.width).toBe(720);
    expect(upright?.height).toBeGreaterThan(1000);
    core.say({ type: 'hello', v: 1, desktop: 'd-1', width: 720, height: 1200, codec: 'h264', mode: 'control' });
    await expect.poll(() => fit.textContent()).toMatch(/Size back/);
    await fit.tap();
    await expect.poll(asked).toHaveLength(2);
    expect(asked()[1]).toEqual({ type: 'resize', width: 640, height: 360 });
  });

  it('draws the desktop’s own pointer where it is', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.say({ type: 'cursor', x: 32768, y: 16384, visible: true, image: { png: blackSquare, hotX: 0, hotY: 0 } });
    const cursor = viewer.page.locator('#cursor');
    await expect.poll(() => cursor.isVisible()).toBe(true);
    const at = await viewer.place(0.5, 0.25);
    await expect.poll(async () => (await cursor.boundingBox())?.x).toBeCloseTo(at.x, 0);
    await expect.poll(async () => (await cursor.boundingBox())?.y).toBeCloseTo(at.y, 0);
    core.say({ type: 'cursor', x: 0, y: 0, visible: false });
    await expect.poll(() => cursor.isVisible()).toBe(false);
  });
});

const desk = { viewport: { width: 1280, height: 800 } };

describe.skipIf(cannot)(`controlling a desktop from a desk${cannot ? ` (${cannot})` : ''}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium(desk);
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  it('clicks, turns the wheel and moves the pointer; a mouse that only passes by asks for nothing', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const { x, y } = await viewer.place(0.1, 0.9);
    await viewer.page.mouse.move(x, y);
    await viewer.page.waitForTimeout(200);
    expect(core.messages.some(({ type }) => type === 'request_control')).toBe(false);
    await viewer.page.mouse.click(x, y, { button: 'right' });
    await expect.poll(() => clicks(core.inputs, 3)).toHaveLength(1);
    expectAt(clicks(core.inputs, 3)[0], 0.1, 0.9);
    await viewer.page.mouse.wheel(0, 120);
    await expect.poll(() => core.inputs.at(-1)).toEqual({ type: 'wheel', dx: 0, dy: 120 });
  });

  it('pastes with the person’s own keys: their clipboard is the desktop’s before the keys arrive there', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const { x, y } = await viewer.place(0.5, 0.5);
    await viewer.page.mouse.click(x, y);
    await expect.poll(() => core.inputs).toContainEqual({ type: 'button', down: false, button: 1 });
    core.inputs.length = 0;
    await viewer.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(sentence)})`);
    await viewer.page.keyboard.press('Control+v');
    await expect.poll(() => core.messages).toContainEqual({ type: 'clipboard', text: sentence });
    const key = (keysym: number, down: boolean) => ({ type: 'key', down, keysym });
    await expect
      .poll(() => core.inputs)
      .toEqual([key(0xffe3, true), key(0x76, true), key(0x76, false), key(0xffe3, false)]);
  });

  it('says so when a text is too long for the desktop’s clipboard, and goes on', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const { x, y } = await viewer.place(0.5, 0.5);
    await viewer.page.mouse.click(x, y);
    await expect.poll(() => core.inputs).toContainEqual({ type: 'button', down: false, button: 1 });
    core.inputs.length = 0;
    await viewer.page.evaluate(`navigator.clipboard.writeText('ä'.repeat(600_000))`);
    await viewer.page.keyboard.press('Control+v');
    await expect.poll(() => viewer.page.locator('#toast').textContent()).toMatch(/too much text .* 1 MB/);
    await viewer.page.keyboard.press('a');
    await expect.poll(() => core.inputs).toContainEqual({ type: 'key', down: true, keysym: 0x61 });
    expect(core.inputs).not.toContainEqual({ type: 'key', down: true, keysym: 0x76 });
    expect(core.messages.filter(({ type }) => type === 'clipboard')).toEqual([]);
    expect(core.connections).toBe(1);
  });

  it('offers what the desktop has copied without showing it', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    core.say({ type: 'clipboard', text: 'a secret' });
    const toast = viewer.page.locator('#toast');
    await expect.poll(() => toast.textContent()).toMatch(/copied 8 characters/);
    await viewer.page.locator('#toast-action').click();
    await expect.poll(() => viewer.page.evaluate('navigator.clipboard.readText()')).toBe('a secret');
  });

  it('can be used and left with the keyboard alone', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    const { keyboard } = viewer.page;
    const focused = () => viewer.page.evaluate('document.activeElement.id');
    for (let presses = 0; presses < 10 && (await focused()) !== 'stage'; presses += 1) await keyboard.press('Tab');
    await keyboard.press('Tab');
    await expect.poll(focused, { message: 'without control Tab goes on' }).not.toBe('stage');
    await keyboard.press('Shift+Tab');
    await expect.poll(focused).toBe('stage');
    await keyboard.press('Enter');
    await expect.poll(() => core.inputs).toContainEqual({ type: 'key', down: true, keysym: 0xff0d });
    await keyboard.press('Tab');
    await expect.poll(() => core.inputs).toContainEqual({ type: 'key', down: true, keysym: 0xff09 });
    expect(await focused()).toBe('stage');
    await keyboard.press('Shift+Escape');
    await expect.poll(focused).toBe('take');
    expect(core.inputs).not.toContainEqual({ type: 'key', down: true, keysym: 0xff1b });
  });
});

/** A PNG of eight by eight black pixels. */
const blackSquare =
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVQYlWNgYGD4TwCPBAUAgkg/wUYFkqkAAAAASUVORK5CYII=';
