import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFileLinks, storeFile } from '../core/desktops/files.ts';
import { type DesktopHouse, openDesktopHouse } from '../core/desktops/testing/desktop-house.ts';
import { append } from '../core/streams/append.ts';
import { createFragmentedMp4 } from '../sandbox/encode/fragmented-mp4.ts';
import { loadNodeAv, type NodeAv } from '../sandbox/encode/node-av.ts';
import { openVideoEncoder } from '../sandbox/encode/video-encoder.ts';
import { buildViewer } from '../stream-viewer/build.ts';
import { type Browser, chromiumPath, openChromium, phone } from './clients/chromium.ts';

const av = await loadNodeAv();
const cannot = chromiumPath === undefined ? 'no Chromium' : av ? null : 'no node-av';
const size = { width: 320, height: 200 };
const organisation = 'default';

/** Two seconds of red. */
async function film(lib: NodeAv): Promise<Buffer> {
  const encoder = await openVideoEncoder(lib, {
    ...{ name: 'libx264', size, fps: 30, bitrate: 1_000_000, effort: 'ultrafast', threads: 1 },
  });
  const red = Buffer.alloc(size.width * size.height * 4, Buffer.from([0, 0, 255, 0]));
  const bands = [{ top: 0, height: size.height }];
  const [first] = await encoder.encode(red, bands, { ptsMicroseconds: 1n, key: true });
  encoder.close();
  if (!first) throw new Error('the encoder gave nothing');
  const pieces: Buffer[] = [];
  const file = await createFragmentedMp4(lib, { ...size, first }, (piece) => pieces.push(piece));
  await file.write(first);
  await file.close(2_000_001n);
  return Buffer.concat(pieces);
}

describe.skipIf(cannot)(`the page of a file${cannot ? ` (${cannot})` : ''}`, () => {
  let house: DesktopHouse;
  let browser: Browser;
  beforeAll(async () => {
    [house, browser] = await Promise.all([
      buildViewer().then((viewerDirectory) => openDesktopHouse({ viewerDirectory })),
      openChromium(phone),
    ]);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await house[Symbol.asyncDispose]();
  });

  async function linkTo(file: { name: string; type: string; data: Buffer }): Promise<string> {
    const { thread } = await house.running();
    if (thread === null) throw new Error('the desktop has no thread');
    const attachment = await storeFile(house.core, organisation, thread, file);
    const { stream } = await place(thread);
    const said = { organisation, stream, thread, author: null, sourceKind: 'notice' } as const;
    await append(house.core, { ...said, message: { body: 'A file.', attachments: [attachment] } });
    const [link] = await readFileLinks(house.core, organisation, thread, [attachment]);
    if (!link) throw new Error('there is no link');
    return link.url;
  }

  async function place(thread: string): Promise<{ stream: `s-${string}` }> {
    const [row] = await house.core.database.query<{ stream: `s-${string}` }>(
      'select stream from thread where id = $1',
      [thread],
    );
    if (!row) throw new Error('there is no such thread');
    return row;
  }

  async function open(address: string) {
    const page = await browser.context.newPage();
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('Failed to load resource')) wrong.push(message.text());
    });
    await page.goto(address);
    const state = () => page.evaluate<string>('document.body.dataset.state');
    return { page, wrong, state };
  }

  it('plays a clip, and saves it under its name', async () => {
    await house.addHost();
    const { page, wrong, state } = await open(
      await linkTo({ name: 'assistant ü 2s.mp4', type: 'video/mp4', data: await film(av as NodeAv) }),
    );
    await expect.poll(state).toBe('live');
    expect(new URL(page.url()).hash).toBe('');
    const ofVideo = <T>(what: string) => page.evaluate<T>(`document.querySelector('video').${what}`);
    await expect.poll(() => ofVideo('videoWidth')).toBe(size.width);
    const seconds = await ofVideo<number>('duration');
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThan(2.2);
    // HAVE_CURRENT_DATA: its size is known before there is a picture of it.
    await expect.poll(() => ofVideo('readyState')).toBeGreaterThanOrEqual(2);
    await expect.poll(() => ofVideo('currentTime')).toBeGreaterThan(0.2);
    const colour = await page.evaluate<number[]>(`(() => {
      const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
      context.drawImage(document.querySelector('video'), 0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    })()`);
    expect(colour[0]).toBeGreaterThan(200);
    expect(colour[1]).toBeLessThan(60);
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByText('Save').tap()]);
    expect(saved.suggestedFilename()).toBe('assistant ü 2s.mp4');
    expect(wrong).toEqual([]);
    await page.close();
  });

  it('offers what a browser does not show to be saved', async () => {
    const { page, state } = await open(await linkTo({ name: 'log.txt', type: 'text/plain', data: Buffer.from('x') }));
    await expect.poll(state).toBe('live');
    expect(await page.locator('#card').textContent()).toContain('Save it to open it.');
    await page.close();
  });

  it('says what to do with a link that does not count', async () => {
    const link = await linkTo({ name: 'a.mp4', type: 'video/mp4', data: Buffer.from('x') });
    const { page, state } = await open(link.slice(0, -8));
    await expect.poll(state).toBe('error');
    expect(await page.locator('#card').textContent()).toMatch(
      /This link does not count any more\s+Ask for it again in its thread\./,
    );
    await page.close();
  });
});
