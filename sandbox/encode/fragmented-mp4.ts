import { parameterSetsOf } from './annex-b.ts';
import { AvError } from './av-error.ts';
import type { NodeAv } from './node-av.ts';
import type { AccessUnit } from './video-encoder.ts';

/** An MP4 file that is being written. */
export interface Mp4Writer {
  /** The first is a keyframe; the others follow in order. */
  write(unit: AccessUnit): Promise<void>;
  /** Writes what is left. `until`: how long the last picture is shown, on the clock of their times; without it a tenth of a second. */
  close(until?: bigint): Promise<void>;
}

const microseconds = 1_000_000;
/** So much is gathered before it is handed on. */
const bufferBytes = 64 * 1024;
/** A fragment is written after so long, in microseconds, also without a keyframe: what a crash may cost. */
const fragmentMicroseconds = 5_000_000;
/** How long the last picture is shown at least. */
const lastMicroseconds = 100_000n;

/**
 * Puts access units into a fragmented MP4 as they are, without encoding anew. What has been written can be played although the file
 * never was finished (ISO/IEC 14496-12, movie fragments).
 *
 * @param first the keyframe that it begins with, for its parameter sets
 * @param sink gets the file, piece by piece
 * @throws AvError when FFmpeg refuses it
 */
export async function createFragmentedMp4(
  av: NodeAv,
  { width, height, first }: { width: number; height: number; first: AccessUnit },
  sink: (piece: Buffer) => void,
): Promise<Mp4Writer> {
  const output = new av.IOContext();
  output.allocContextWithCallbacks(bufferBytes, 1, null, (piece) => {
    sink(Buffer.from(piece));
    return piece.byteLength;
  });
  const file = new av.FormatContext();
  AvError.check(file.allocOutputContext2(null, 'mp4', null), 'preparing an MP4');
  file.pb = output;
  file.setFlags(av.AVFMT_FLAG_CUSTOM_IO);
  const stream = file.newStream(null);
  const { codecpar } = stream;
  codecpar.codecType = av.AVMEDIA_TYPE_VIDEO;
  codecpar.codecId = av.AV_CODEC_ID_H264;
  codecpar.width = width;
  codecpar.height = height;
  codecpar.format = av.AV_PIX_FMT_YUV420P;
  codecpar.extradata = parameterSetsOf(first.data);
  stream.timeBase = new av.Rational(1, microseconds);
  const options = av.Dictionary.fromObject({
    movflags: 'frag_keyframe+empty_moov+default_base_moof',
    frag_duration: fragmentMicroseconds,
  });
  AvError.check(await file.writeHeader(options), 'beginning an MP4');
  const { num, den } = stream.timeBase;
  const ticks = (pts: bigint) => (pts * BigInt(den)) / (BigInt(num) * BigInt(microseconds));

  const packet = new av.Packet();
  packet.alloc();
  /** Each is written when the next is known, and with it how long it is shown. */
  let waiting: AccessUnit | undefined;

  async function put(unit: AccessUnit, until: bigint): Promise<void> {
    const at = ticks(unit.ptsMicroseconds - first.ptsMicroseconds);
    packet.data = unit.data;
    packet.isKeyframe = unit.key;
    packet.streamIndex = 0;
    packet.pts = at;
    packet.dts = at;
    packet.duration = ticks(until - first.ptsMicroseconds) - at;
    AvError.check(await file.writeFrame(packet), 'writing an MP4');
    packet.unref();
  }

  return {
    async write(unit) {
      if (waiting) await put(waiting, unit.ptsMicroseconds);
      waiting = unit;
    },
    async close(until = 0n) {
      try {
        if (waiting) {
          const least = waiting.ptsMicroseconds + lastMicroseconds;
          await put(waiting, until > least ? until : least);
        }
        AvError.check(await file.writeTrailer(), 'ending an MP4');
      } finally {
        packet.free();
        // Each is freed by itself: a file that still has its output would free that, too.
        file.pb = null;
        file.freeContext();
        output.freeContext();
      }
    },
  };
}
