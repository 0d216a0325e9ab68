import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hasXvfb, startTestXServer, type TestXServer } from '../testing/x-server.ts';
import { keepSpareStreamer } from './spare-streamer.ts';
import type { StreamerListener, StreamerOptions } from './streamer.ts';

const nobody: StreamerListener = {
  viewers: () => undefined,
  controlAsked: () => undefined,
  controlReleased: () => undefined,
  personDid: () => undefined,
  resized: () => undefined,
};

describe.skipIf(!hasXvfb)('the spare streamer', () => {
  let server: TestXServer;
  let options: StreamerOptions;

  beforeAll(async () => {
    server = await startTestXServer({ width: 320, height: 240 });
    options = {
      desktop: 'd-1',
      display: server.display,
      encoders: { names: [], remote: null },
      sound: null,
      fps: 30,
      recordings: '/nowhere',
    };
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('becomes the streamer of the Desktop that comes next, and is replaced', async () => {
    const streamers = keepSpareStreamer(false);
    streamers.prepare();
    const { pid } = streamers;
    expect(pid).toBeGreaterThan(0);
    const streamer = await streamers.start(options, nobody);
    expect(streamer.pid).toBe(pid);
    expect(await streamer.still({ format: 'jpeg', quality: 50 })).toMatchObject({ width: 320, height: 240 });
    expect(streamers.pid).toBeGreaterThan(0);
    expect(streamers.pid).not.toBe(pid);
    await streamer.stop();
    streamers.close();
  });

  it('knows nothing of the host, and is ended before the host when memory is short', async () => {
    vi.stubEnv('HOST_TOKEN', 'a-secret-of-the-host');
    const streamers = keepSpareStreamer(false);
    streamers.prepare();
    const { pid } = streamers;
    await expect.poll(() => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'), { timeout: 10_000 }).toBe('500\n');
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('a-secret-of-the-host');
    streamers.close();
    vi.unstubAllEnvs();
    await expect.poll(() => streamers.pid).toBeUndefined();
  });

  it('is made when it is wanted if it has died', async () => {
    const streamers = keepSpareStreamer(false);
    streamers.prepare();
    process.kill(streamers.pid ?? 0, 'SIGKILL');
    await expect.poll(() => streamers.pid).toBeUndefined();
    const streamer = await streamers.start(options, nobody);
    expect(streamer.pid).toBeGreaterThan(0);
    await streamer.stop();
    streamers.close();
  });
});
