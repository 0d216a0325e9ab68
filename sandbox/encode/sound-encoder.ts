import { AvError } from './av-error.ts';
import type { NodeAv } from './node-av.ts';

/** The encoder's name, as FFmpeg and reports have it. */
export const soundEncoderName = 'libopus';

/** What is encoded: samples of 16 bit, little endian, left and right in turn, in pieces of 20 ms. */
export const pieceOfSound = { sampleRate: 48_000, channels: 2, samples: 960, milliseconds: 20, bytes: 3840 } as const;

/** Opus for speech and music in stereo is good from here on (RFC 7845 names none; opus-codec.org recommends 64 to 128 kbit/s). */
const bitsPerSecond = 64_000;
/** Of 10. A piece takes 0.08 ms, by the highest 0.12. */
const effort = '5';

/** An Opus encoder at work. */
export interface SoundEncoder {
  /**
   * Makes one packet of one piece, in the calling thread: it takes a fraction of a millisecond.
   *
   * @param samples as {@link pieceOfSound} says
   * @throws AvError when the encoder fails: it is of no use any more
   */
  encode(samples: Buffer): Buffer;
  close(): void;
}

/**
 * Opens Opus as viewers know it: stereo, 48 kHz, packets of 20 ms. What comes out is 6.5 ms later than what goes in (RFC 6716).
 *
 * @throws AvError when it is not compiled in
 */
export async function openSoundEncoder(av: NodeAv): Promise<SoundEncoder> {
  const codec = av.Codec.findEncoderByName(av.FF_ENCODER_LIBOPUS);
  if (!codec) throw new AvError(`looking for the encoder ${soundEncoderName}, which is not compiled in`, -1);
  const { sampleRate, samples, channels } = pieceOfSound;
  const channelLayout = { nbChannels: channels, order: av.AV_CHANNEL_ORDER_NATIVE, mask: av.AV_CH_LAYOUT_STEREO };
  const context = new av.CodecContext();
  context.allocContext3(codec);
  context.sampleRate = sampleRate;
  context.sampleFormat = av.AV_SAMPLE_FMT_S16;
  context.channelLayout = channelLayout;
  context.bitRate = BigInt(bitsPerSecond);
  context.timeBase = new av.Rational(1, sampleRate);
  const packet = new av.Packet();
  packet.alloc();
  const frame = new av.Frame();
  frame.alloc();
  frame.format = av.AV_SAMPLE_FMT_S16;
  frame.nbSamples = samples;
  frame.sampleRate = sampleRate;
  frame.channelLayout = channelLayout;
  const release = () => {
    context.freeContext();
    packet.free();
    frame.free();
  };
  try {
    AvError.check(frame.getBuffer(0), 'allocating a piece of sound');
    const options = { application: 'audio', frame_duration: '20', compression_level: effort };
    AvError.check(await context.open2(codec, av.Dictionary.fromObject(options)), `opening ${soundEncoderName}`);
  } catch (error) {
    release();
    throw error;
  }

  let pts = 0n;
  return {
    encode(piece) {
      AvError.check(frame.makeWritable(), 'writing to a piece of sound');
      AvError.check(frame.fromBuffer(piece), 'writing to a piece of sound');
      frame.pts = pts;
      pts += BigInt(samples);
      AvError.check(context.sendFrameSync(frame), 'encoding a piece of sound');
      AvError.check(context.receivePacketSync(packet), 'encoding a piece of sound');
      if (!packet.data) throw new AvError('encoding a piece of sound, which came out empty', -1);
      const data = Buffer.from(packet.data);
      packet.unref();
      return data;
    },
    close: release,
  };
}
