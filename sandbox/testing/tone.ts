import type { NodeAv } from '../encode/node-av.ts';
import { pieceOfSound } from '../encode/sound-encoder.ts';

const { sampleRate, channels } = pieceOfSound;
const bytesPerSample = 2;

/** A tone on both sides, as samples of 16 bit at 48 kHz, at a third of full loudness. */
export function toneOf(hertz: number, seconds: number): Buffer {
  const samples = Buffer.alloc(sampleRate * seconds * channels * bytesPerSample);
  for (let at = 0; at < sampleRate * seconds; at += 1) {
    const value = Math.round(10_000 * Math.sin((2 * Math.PI * hertz * at) / sampleRate));
    for (let channel = 0; channel < channels; channel += 1)
      samples.writeInt16LE(value, (at * channels + channel) * bytesPerSample);
  }
  return samples;
}

/**
 * Decodes Opus by FFmpeg as a viewer would.
 *
 * @returns the left side, from -1 to 1, at 48 kHz
 * @throws when one of the packets does not decode
 */
export async function decodeSound(av: NodeAv, packets: readonly { data: Uint8Array }[]): Promise<Float32Array> {
  const codec = av.Codec.findDecoder(av.AV_CODEC_ID_OPUS);
  if (!codec) throw new Error('there is no decoder for Opus');
  using context = new av.CodecContext();
  context.allocContext3(codec);
  context.sampleRate = sampleRate;
  context.channelLayout = { nbChannels: channels, order: av.AV_CHANNEL_ORDER_NATIVE, mask: av.AV_CH_LAYOUT_STEREO };
  av.FFmpegError.throwIfError(await context.open2(codec), 'open');
  using packet = new av.Packet();
  packet.alloc();
  using frame = new av.Frame();
  frame.alloc();
  const left: number[] = [];
  for (const each of packets) {
    packet.data = Buffer.from(each.data);
    av.FFmpegError.throwIfError(await context.sendPacket(packet), 'decode');
    while ((await context.receiveFrame(frame)) >= 0) {
      const [plane] = frame.data ?? [];
      for (let at = 0; plane && at < frame.nbSamples; at += 1) left.push(plane.readFloatLE(at * 4));
    }
  }
  return Float32Array.from(left);
}

/** The frequency that a sound has most of, in hertz, by how often it rises through zero. Null: there is no sound to speak of. */
export function pitchOf(sound: Float32Array): number | null {
  const loudest = sound.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (loudest < 0.01) return null;
  const rises: number[] = [];
  let below = false;
  for (const [at, value] of sound.entries()) {
    if (value < -loudest / 4) below = true;
    else if (below && value > 0) {
      rises.push(at);
      below = false;
    }
  }
  const [first = 0] = rises;
  const last = rises.at(-1) ?? 0;
  return last > first ? ((rises.length - 1) * sampleRate) / (last - first) : null;
}
