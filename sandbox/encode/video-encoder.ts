import type { FFEncoderCodec } from 'node-av/constants';
import type { CodecContext } from 'node-av/lib';
import type { Band } from '../capture/bands.ts';
import type { LocalEncoderName } from '../stream/streamer.ts';
import type { ScreenSize } from '../x11/screen.ts';
import { AvError } from './av-error.ts';
import { createBgrxConverter } from './bgrx-converter.ts';
import { bufferSeconds, type Effort, encoderSettings, finestQuantizer } from './encoder-settings.ts';
import { h264Level } from './h264-level.ts';
import { createHardwareFrames } from './hardware-frames.ts';
import type { NodeAv } from './node-av.ts';
import { createNv12Source } from './nv12.ts';

/** One encoded picture. */
export interface AccessUnit {
  /** H.264, Annex B; a keyframe begins with its parameter sets. */
  data: Buffer;
  key: boolean;
  ptsMicroseconds: bigint;
  /** The quantiser, 0 to 51: how much was left out of the picture. Null where the encoder does not say. */
  quantizer: number | null;
}

/** What an encoder is opened with. */
export interface VideoEncoderOptions {
  name: LocalEncoderName;
  /** The screen; an odd last column or row is not shown, since colours come in pairs. */
  size: ScreenSize;
  /** Pictures a second at most. */
  fps: number;
  /** Bits a second at most. */
  bitrate: number;
  effort: Effort;
  threads: number;
  /** Of x264: all pictures have this quantiser, whatever bitrate comes of it. */
  quantizer?: number | null;
  /** How far the first picture may run ahead of the bitrate, in seconds; by default as far as any. */
  firstPictureSeconds?: number;
  /** How the pictures come: `bgrx`, as a screen has them (the default), or `nv12`, without padding. */
  pixels?: 'bgrx' | 'nv12';
}

/** An encoder at work on one screen. */
export interface VideoEncoder {
  readonly width: number;
  readonly height: number;
  /**
   * Takes over these bands of the screen, and encodes the whole of it. One call at a time.
   *
   * @param pixels as large as the screen, in the format that was said at its opening
   * @throws AvError when the encoder fails: it is of no use any more
   */
  encode(pixels: Buffer, bands: readonly Band[], at: { ptsMicroseconds: bigint; key: boolean }): Promise<AccessUnit[]>;
  /** False when this encoder has to be opened anew for it. */
  setBitrate(bitsPerSecond: number): boolean;
  close(): void;
}

const microseconds = 1_000_000;

/**
 * Opens an encoder. It keeps no picture back, and makes a keyframe for its first and when it is told to, at no other time.
 *
 * @throws AvError when it is not compiled in, or its hardware is missing
 * @throws RangeError for a screen that is larger than H.264 allows
 */
export async function openVideoEncoder(av: NodeAv, options: VideoEncoderOptions): Promise<VideoEncoder> {
  const width = options.size.width & ~1;
  const height = options.size.height & ~1;
  const settings = encoderSettings(options.name, options.effort, options.threads, options.quantizer);
  const codec = av.Codec.findEncoderByName(options.name as FFEncoderCodec);
  if (!codec) throw new AvError(`looking for the encoder ${options.name}, which is not compiled in`, -1);

  const hardware = options.name === 'h264_vaapi' ? createHardwareFrames(av, { width, height }) : null;
  const isConverted = options.pixels === 'nv12';
  // Every one of these encoders takes NV12 as it is.
  const format = isConverted || settings.pixelFormat === 'nv12' ? av.AV_PIX_FMT_NV12 : av.AV_PIX_FMT_YUV420P;
  const source = isConverted
    ? createNv12Source(av, { width, height })
    : createBgrxConverter(av, { width, height }, options.size.width, format);
  const context = new av.CodecContext();
  context.allocContext3(codec);
  context.width = width;
  context.height = height;
  context.pixelFormat = hardware ? av.AV_PIX_FMT_VAAPI : format;
  context.timeBase = new av.Rational(1, microseconds);
  context.framerate = new av.Rational(options.fps, 1);
  context.level = h264Level(width, height, options.fps);
  // Keyframes are asked for; and a picture that waits for a later one would be late.
  context.gopSize = 2 ** 30;
  context.maxBFrames = 0;
  context.qMin = finestQuantizer;
  // What swscale makes of a screen's colours. Untagged, a browser guesses BT.709 for a large picture: red comes out as 255,24,0.
  context.colorSpace = av.AVCOL_SPC_SMPTE170M;
  context.colorPrimaries = av.AVCOL_PRI_BT709;
  context.colorTrc = av.AVCOL_TRC_IEC61966_2_1;
  context.colorRange = av.AVCOL_RANGE_MPEG;
  if (hardware) context.hwFramesCtx = hardware.context;
  const limited = (options.quantizer ?? null) === null;
  if (limited) limitRate(context, options.bitrate, options.firstPictureSeconds);
  if (options.name !== 'libx264') context.bitRate = BigInt(options.bitrate);

  const packet = new av.Packet();
  packet.alloc();
  const release = () => {
    context.freeContext();
    packet.free();
    hardware?.close();
    source.close();
  };
  try {
    AvError.check(await context.open2(codec, av.Dictionary.fromObject(settings.options)), `opening ${options.name}`);
  } catch (error) {
    release();
    throw error;
  }

  let bitrate = options.bitrate;
  let lastPts: bigint | undefined;

  /**
   * x264 takes every picture to stand for 1/fps seconds, so what it may spend grows only with pictures: after an idle second a turned
   * page would have to make do with what the last scroll had left. So each picture brings in what the time before it was worth.
   */
  function creditTime(ptsMicroseconds: bigint): void {
    if (options.name !== 'libx264' || lastPts === undefined || !limited) return;
    // The first picture may have had more room.
    context.rcBufferSize = Math.round(bitrate * bufferSeconds);
    const pictures = (Number(ptsMicroseconds - lastPts) / microseconds) * options.fps;
    const most = bufferSeconds * options.fps;
    context.rcMaxRate = BigInt(Math.round(bitrate * Math.min(Math.max(pictures, 1 / most), most)));
  }

  /** What sending a picture has made: it is done by then, so that taking it needs no other thread. */
  function receive(): AccessUnit[] {
    const units: AccessUnit[] = [];
    for (;;) {
      const code = context.receivePacketSync(packet);
      if (code === av.AVERROR_EAGAIN) return units;
      AvError.check(code, 'encoding a picture');
      if (!packet.data) throw new AvError('encoding a picture, which came out empty', code);
      units.push({
        data: Buffer.from(packet.data),
        key: packet.isKeyframe,
        ptsMicroseconds: packet.pts,
        quantizer: quantizerOf(packet.getSideData(av.AV_PKT_DATA_QUALITY_STATS)),
      });
      packet.unref();
    }
  }

  return {
    width,
    height,
    async encode(pixels, bands, { ptsMicroseconds, key }) {
      source.convert(pixels, bands);
      creditTime(ptsMicroseconds);
      lastPts = ptsMicroseconds;
      const frame = hardware ? await hardware.upload(source.frame) : source.frame;
      frame.pts = ptsMicroseconds;
      frame.pictType = key ? av.AV_PICTURE_TYPE_I : av.AV_PICTURE_TYPE_NONE;
      AvError.check(await context.sendFrame(frame), 'encoding a picture');
      return receive();
    },
    setBitrate(bitsPerSecond) {
      if (!settings.changesBitrate) return false;
      bitrate = bitsPerSecond;
      limitRate(context, bitrate);
      if (options.name !== 'libx264') context.bitRate = BigInt(bitrate);
      return true;
    },
    close: release,
  };
}

function limitRate(context: CodecContext, bitrate: number, seconds = bufferSeconds): void {
  context.rcMaxRate = BigInt(bitrate);
  context.rcBufferSize = Math.round(bitrate * seconds);
}

/** AV_PKT_DATA_QUALITY_STATS: u32le quality in units of FF_QP2LAMBDA, which is 118. */
function quantizerOf(stats: Buffer | null): number | null {
  return stats && stats.byteLength >= 4 ? stats.readUInt32LE(0) / 118 : null;
}
