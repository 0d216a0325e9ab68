import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, chromiumPath, openChromium, phone } from '../../e2e/clients/chromium.ts';
import { loadNodeAv, nodeAvMissing } from '../../sandbox/encode/node-av.ts';
import { openSoundEncoder, pieceOfSound } from '../../sandbox/encode/sound-encoder.ts';
import { encodeAudio } from '../../sandbox/protocol.ts';
import { toneOf } from '../../sandbox/testing/tone.ts';
import { openViewer } from '../testing/open-viewer.ts';
import { quarters } from '../testing/scene.ts';
import { type StandInCore, startStandInCore } from '../testing/stand-in-core.ts';

const av = await loadNodeAv();
const cannot = chromiumPath === undefined ? 'no Chromium' : av ? null : nodeAvMissing;

/** Measures what comes out, in front of the loudspeaker. */
const measures = `
  globalThis.loudest = 0;
  globalThis.hertz = 0;
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to !== this.context.destination) return connect.call(this, to, ...rest);
    if (!this.context.measured) {
      const analyser = new AnalyserNode(this.context, { fftSize: 8192 });
      this.context.measured = analyser;
      connect.call(analyser, to);
      setInterval(() => {
        const samples = new Float32Array(analyser.fftSize);
        analyser.getFloatTimeDomainData(samples);
        loudest = Math.max(...samples);
        const levels = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(levels);
        hertz = (levels.indexOf(Math.max(...levels)) * this.context.sampleRate) / analyser.fftSize;
      }, 20);
    }
    return connect.call(this, this.context.measured, ...rest);
  };`;

/** Plays a tone as the host's encoder makes it, at the pace that it is played there. */
async function playTone(core: StandInCore): Promise<{ stop(): void }> {
  if (!av) throw new Error(nodeAvMissing);
  const encoder = await openSoundEncoder(av);
  const tone = toneOf(440, 1);
  let sequence = 0;
  const playing = setInterval(() => {
    const at = (sequence % 50) * pieceOfSound.bytes;
    const data = encoder.encode(tone.subarray(at, at + pieceOfSound.bytes));
    core.play(encodeAudio({ sequence, ptsMicroseconds: BigInt(sequence * 20_000), data }));
    sequence += 1;
  }, pieceOfSound.milliseconds);
  return {
    stop() {
      clearInterval(playing);
      encoder.close();
    },
  };
}

describe.skipIf(cannot)(`the sound of a desktop${cannot ? ` (${cannot})` : ''}`, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openChromium(phone);
  });
  afterAll(() => browser[Symbol.asyncDispose]());

  it('is asked for and played when the person has switched it on', async () => {
    await using core = await startStandInCore(quarters(640, 360), { sound: true });
    await using viewer = await openViewer(browser.context, core.page, measures);
    await viewer.reaches('live');
    const button = viewer.page.locator('#sound');
    await expect.poll(() => button.isVisible()).toBe(true);
    const tone = await playTone(core);
    expect(core.messages.some(({ type }) => type === 'set_sound_enabled')).toBe(false);
    await button.tap();
    await expect.poll(() => viewer.page.evaluate('loudest > 0.2 && Math.abs(hertz - 440) < 10')).toBe(true);
    await button.tap();
    await expect.poll(() => button.getAttribute('aria-pressed')).toBe('false');
    await expect.poll(() => core.messages).toContainEqual({ type: 'set_sound_enabled', enabled: false });
    tone.stop();
  });

  it('is asked for again on a new connection, and of a new streamer', async () => {
    await using core = await startStandInCore(quarters(640, 360), { sound: true });
    await using viewer = await openViewer(browser.context, core.page, measures);
    await viewer.reaches('live');
    await viewer.page.locator('#sound').tap();
    const asked = () => core.messages.filter(({ type }) => type === 'set_sound_enabled');
    await expect.poll(asked).toHaveLength(1);
    core.drop();
    await expect.poll(() => core.connections).toBe(2);
    await viewer.reaches('live');
    await expect.poll(asked).toEqual(Array(2).fill({ type: 'set_sound_enabled', enabled: true }));
    core.restartStreamer();
    await expect.poll(asked).toEqual(Array(3).fill({ type: 'set_sound_enabled', enabled: true }));
    const tone = await playTone(core);
    await expect.poll(() => viewer.page.evaluate('loudest > 0.2')).toBe(true);
    tone.stop();
  });

  it('has no button for the sound of a desktop that has none', async () => {
    await using core = await startStandInCore(quarters(640, 360));
    await using viewer = await openViewer(browser.context, core.page);
    await viewer.reaches('live');
    expect(await viewer.page.locator('#sound').isVisible()).toBe(false);
  });
});
