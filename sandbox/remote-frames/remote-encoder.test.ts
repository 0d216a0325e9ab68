import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNodeAv, type NodeAv } from '../encode/node-av.ts';
import { workingEncoders } from '../encode/probe-encoders.ts';
import { probePictures, remoteEncoderOf } from '../host/probe-pictures.ts';
import { readHostSettings } from '../host/read-host-settings.ts';
import { type StartedStreamer, startTestStreamer } from '../stream/testing/started-streamer.ts';
import { decodePicture } from '../testing/decode-picture.ts';
import { hasXvfb } from '../testing/x-server.ts';
import { type EncoderProcess, startEncoderProcess } from './testing/encoder-process.ts';

const av = await loadNodeAv();
const size = { width: 642, height: 480 };
const everything = { x: 0, y: 0, ...size };

let folder: string;
let stack: AsyncDisposableStack;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'test-encoder-'));
  stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true }));
});

afterEach(() => stack.disposeAsync());

async function start(environment?: Record<string, string>): Promise<EncoderProcess> {
  return stack.use(await startEncoderProcess(environment, folder));
}

async function ready(environment?: Record<string, string>): Promise<EncoderProcess> {
  const encoder = await start(environment);
  await encoder.ready();
  return encoder;
}

function settings(environment: Record<string, string>) {
  return readHostSettings({ environment, directory: folder });
}

describe('an encoder for other hosts', () => {
  it('says what is missing in one sentence', async () => {
    const encoder = await start({ REMOTE_ENCODER_TOKEN: '' });
    expect(await encoder.ended).toBe(1);
    expect(encoder.said()).toBe(
      'switchboard host: REMOTE_ENCODER_TOKEN is not set: give this process and the hosts the same one\n',
    );
  });

  it.each([
    'tcp://127.0.0.1',
    'http://127.0.0.1:1',
    'unix://folder/socket',
    'unix:///a%zz',
    'tcp://a:b@127.0.0.1:1',
    'encoder',
  ])('is not at %s', (text) => {
    expect(() => settings({ REMOTE_ENCODER: text })).toThrow(/REMOTE_ENCODER is .*: it must be an address such as/);
  });
});

describe.skipIf(!av)(`an encoder for other hosts${av ? '' : ' (no node-av)'}`, () => {
  it('is found by a host, after its own hardware and before its processor, and takes the socket of a killed one', async () => {
    const killed = await ready();
    killed.kill('SIGKILL');
    await killed.ended;
    const encoder = await ready();
    expect(encoder.said()).toContain(`REMOTE_ENCODER=${encoder.settings.REMOTE_ENCODER}`);

    const found = await probePictures(settings(encoder.settings));

    expect(found.find(({ name }) => name === 'remote')).toMatchObject({
      works: true,
      detail: expect.stringMatching(/^encodes a picture/),
    });
    expect(workingEncoders(found).slice(-2)).toEqual(['remote', 'libx264']);
    expect(encoder.said()).not.toContain(encoder.settings.REMOTE_ENCODER_TOKEN);

    const stranger = await probePictures(settings({ ...encoder.settings, REMOTE_ENCODER_TOKEN: 'some other token' }));
    expect(stranger.find(({ name }) => name === 'remote')).toMatchObject({ works: false });
    expect(encoder.said()).toContain('its token is wrong');
    expect(encoder.said()).not.toContain('some other token');
    encoder.kill('SIGTERM');
    expect(await encoder.ended).toBe(0);
  });

  it('leaves alone what is no socket, and one that answers', async () => {
    await writeFile(join(folder, 'encoder'), 'precious');
    const refused = await start();
    expect(await refused.ended).toBe(1);
    expect(refused.said()).toMatch(/^switchboard host: cannot listen at ENCODER_LISTEN: .*EADDRINUSE/);
    expect(await readFile(join(folder, 'encoder'), 'utf8')).toBe('precious');
    await rm(join(folder, 'encoder'));
    await ready();
    expect(await (await start()).ended).toBe(1);
  });

  it('that is not there is said, with what to do about a missing token', async () => {
    const address = `unix://${folder}/encoder`;
    const nobody = await probePictures(
      settings({ REMOTE_ENCODER: address, REMOTE_ENCODER_TOKEN: 'a token that nobody knows' }),
    );
    expect(nobody.find(({ name }) => name === 'remote')).toMatchObject({
      works: false,
      detail: expect.stringMatching(/ENOENT/),
    });
    const open = await probePictures(settings({ REMOTE_ENCODER: address }));
    expect(open.find(({ name }) => name === 'remote')).toMatchObject({
      works: false,
      detail: 'REMOTE_ENCODER_TOKEN is not set: give both sides the same',
    });
  });

  it('listens at a port, too', async () => {
    const encoder = await ready({ ENCODER_LISTEN: 'tcp://127.0.0.1:0' });
    const [, at = ''] = /REMOTE_ENCODER=(tcp:\S+)/.exec(encoder.said()) ?? [];
    const found = await probePictures(settings({ ...encoder.settings, REMOTE_ENCODER: at }));
    expect(workingEncoders(found)).toContain('remote');
  });
});

describe.skipIf(!hasXvfb || !av)('a streamer whose pictures are encoded elsewhere (needs Xvfb and node-av)', () => {
  let lib: NodeAv;
  let encoder: EncoderProcess;
  let started: StartedStreamer;

  beforeEach(async () => {
    lib = av as NodeAv;
    encoder = await ready();
    const remote = remoteEncoderOf(settings(encoder.settings));
    started = await startTestStreamer(size, { names: ['remote', 'libx264'], remote });
  });

  afterEach(() => started[Symbol.asyncDispose]());

  it('shows the screen as it is, what is drawn on it, and its new size', async () => {
    const { core, painter, streamer, told } = started;
    await painter.fill(everything, 0x2040c0);
    const viewer = await core.join(streamer);
    await viewer.framesReach(1);
    expect(viewer.frames[0]).toMatchObject({ key: true, width: 642, height: 480 });
    expect(told.encodings[0]).toMatchObject({ encoder: 'remote', effort: null });
    await painter.fill({ x: 0, y: 0, width: 642, height: 240 }, 0xff0000);
    await viewer.framesReach(2);
    const picture = await decodePicture(lib, viewer.frames);
    expect(near(picture.at(160, 60), [0xff, 0, 0])).toBe(true);
    expect(near(picture.at(638, 400), [0x20, 0x40, 0xc0])).toBe(true);
    expect(viewer.frames.filter(({ key }) => key)).toHaveLength(1);

    await streamer.resize(400, 301);
    await expect.poll(() => viewer.frames.at(-1)).toMatchObject({ width: 400, height: 300 });
    const resized = viewer.frames.findIndex(({ width }) => width === 400);
    expect(viewer.frames[resized]).toMatchObject({ key: true });
    expect(told.troubles).toEqual([]);
  });

  // One that is halted takes what is sent, and answers nothing.
  const signals = ['SIGKILL', 'SIGSTOP'] as const;
  it.each(signals)('goes on with its own encoder after a %s', { timeout: 60_000 }, async (signal) => {
    const { core, painter, streamer, told, recordings } = started;
    const viewer = await core.join(streamer);
    await viewer.framesReach(1);
    streamer.record('a-1');
    const before = viewer.frames.length;
    await painter.fill(everything, 0x2040c0);
    await viewer.framesReach(before + 1);

    encoder.kill(signal);
    const known = viewer.frames.length;
    await painter.fill(everything, 0xff0000);

    await viewer.framesReach(known + 1);
    expect(viewer.frames[known]).toMatchObject({ key: true, ...size });
    // The first may be what was on its way when the encoder went.
    await expect
      .poll(async () => near((await decodePicture(lib, viewer.frames.slice(known))).at(160, 60), [0xff, 0, 0]))
      .toBe(true);
    expect(told.encodings.at(-1)).toMatchObject({ encoder: 'libx264' });
    expect(told.troubles).toEqual([
      expect.stringMatching(
        signal === 'SIGKILL'
          ? /^the encoder remote failed, so another encodes from now on: the connection to the encoder has ended/
          : /^the encoder remote failed, so another encodes from now on: .*no answer within 3 s$/,
      ),
    ]);
    streamer.record(null);
    // What one encoder made does not fit behind what the other did.
    await expect.poll(() => readdir(recordings).then((names) => names.sort())).toEqual(['a-1.2.mp4', 'a-1.mp4']);
  });
});

function near(one: readonly number[], other: readonly number[]): boolean {
  return one.every((value, index) => Math.abs(value - (other[index] ?? 0)) < 12);
}
