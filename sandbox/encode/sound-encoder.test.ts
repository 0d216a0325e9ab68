import { beforeAll, describe, expect, it } from 'vitest';
import { decodeSound, pitchOf, toneOf } from '../testing/tone.ts';
import { loadNodeAv, type NodeAv } from './node-av.ts';
import { openSoundEncoder, pieceOfSound } from './sound-encoder.ts';

const av = await loadNodeAv();

describe.skipIf(!av)('an encoder of sound', () => {
  let lib: NodeAv;

  beforeAll(() => {
    if (!av) throw new Error('node-av is missing');
    lib = av;
  });

  async function encode(samples: Buffer): Promise<{ data: Buffer }[]> {
    const encoder = await openSoundEncoder(lib);
    const packets: { data: Buffer }[] = [];
    for (let at = 0; at < samples.length; at += pieceOfSound.bytes)
      packets.push({ data: encoder.encode(samples.subarray(at, at + pieceOfSound.bytes)) });
    encoder.close();
    return packets;
  }

  it('makes one packet of each piece, which sounds as the piece did', async () => {
    const packets = await encode(toneOf(440, 1));
    expect(packets).toHaveLength(50);
    const sound = await decodeSound(lib, packets);
    expect(pitchOf(sound)).toBeCloseTo(440, -1);
    expect(Math.max(...sound)).toBeCloseTo(10_000 / 32_768, 1);
  });

  it('keeps to 64 kbit/s or so', async () => {
    const packets = await encode(toneOf(440, 2));
    const bits = packets.reduce((sum, { data }) => sum + data.length * 8, 0) / 2;
    expect(bits).toBeGreaterThan(16_000);
    expect(bits).toBeLessThan(96_000);
  });

  it('takes stereo packets of 20 ms only, which is what viewers open their decoders for', async () => {
    const [packet] = await encode(Buffer.alloc(pieceOfSound.bytes));
    // The packet's first byte (RFC 6716, section 3.1): its third bit says stereo, its last two one frame.
    expect((packet?.data[0] ?? 0) & 0b111).toBe(0b100);
  });
});
