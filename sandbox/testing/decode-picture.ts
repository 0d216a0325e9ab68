import type { NodeAv } from '../encode/node-av.ts';

/** What a decoder made of the last of some access units. */
export interface DecodedPicture {
  width: number;
  height: number;
  colours: { matrix: string; primaries: string; range: string };
  /** Red, green, blue, 0 to 255. */
  at(x: number, y: number): [number, number, number];
}

/**
 * Decodes H.264 by FFmpeg as a viewer would, and reads pixels from the last picture.
 *
 * @throws when there is none, or one of the access units does not decode
 */
export async function decodePicture(av: NodeAv, units: readonly { data: Uint8Array }[]): Promise<DecodedPicture> {
  const codec = av.Codec.findDecoder(av.AV_CODEC_ID_H264);
  if (!codec) throw new Error('there is no decoder for H.264');
  using context = new av.CodecContext();
  context.allocContext3(codec);
  av.FFmpegError.throwIfError(await context.open2(codec), 'open');
  using packet = new av.Packet();
  packet.alloc();
  using frame = new av.Frame();
  frame.alloc();
  using last = new av.Frame();
  last.alloc();
  for (const unit of [...units, null]) {
    if (unit) packet.data = Buffer.from(unit.data);
    av.FFmpegError.throwIfError(await context.sendPacket(unit ? packet : null), 'decode');
    while ((await context.receiveFrame(frame)) >= 0) {
      last.unref();
      last.ref(frame);
    }
  }
  const { width, height } = last;
  if (width === 0) throw new Error('nothing was decoded');
  const pixels = Buffer.alloc(width * height * 4);
  using scaler = new av.SoftwareScaleContext();
  scaler.getContext(width, height, av.AV_PIX_FMT_YUV420P, width, height, av.AV_PIX_FMT_RGBA, av.SWS_BICUBIC);
  await scaler.scale(last.data ?? [], last.linesize, 0, height, [pixels], [width * 4]);
  return {
    width,
    height,
    colours: {
      matrix: last.colorSpace === av.AVCOL_SPC_SMPTE170M ? 'smpte170m' : String(last.colorSpace),
      primaries: last.colorPrimaries === av.AVCOL_PRI_BT709 ? 'bt709' : String(last.colorPrimaries),
      range: last.colorRange === av.AVCOL_RANGE_MPEG ? 'tv' : String(last.colorRange),
    },
    at: (x, y) => {
      const at = (y * width + x) * 4;
      return [pixels.readUInt8(at), pixels.readUInt8(at + 1), pixels.readUInt8(at + 2)];
    },
  };
}
