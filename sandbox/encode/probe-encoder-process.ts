import { existsSync } from 'node:fs';
import { wholeScreen } from '../capture/bands.ts';
import { bytesPerPixel } from '../capture/grabber.ts';
import { type LocalEncoderName, localEncoderNames } from '../stream/streamer.ts';
import { AvError } from './av-error.ts';
import { renderNode } from './hardware-frames.ts';
import { loadNodeAv, type NodeAv, nodeAvMissing } from './node-av.ts';
import { openSoundEncoder, pieceOfSound, soundEncoderName } from './sound-encoder.ts';
import { openVideoEncoder } from './video-encoder.ts';

/**
 * A throw-away process that encodes one picture, or one piece of sound, with the encoder named by its argument, and sends how that went to its parent: a driver
 * that hangs or crashes takes nothing else with it.
 */

/** What it sends. */
export interface ProbeResult {
  works: boolean;
  detail: string;
}

const size = { width: 320, height: 240 };

async function probe(name: LocalEncoderName | typeof soundEncoderName): Promise<ProbeResult> {
  const av = await loadNodeAv();
  if (!av) return { works: false, detail: nodeAvMissing };
  try {
    return name === soundEncoderName ? await probeSound(av) : await probePicture(av, name);
  } catch (error) {
    if (!(error instanceof AvError)) throw error;
    return { works: false, detail: `${error.message}: ${av.FFmpegError.strerror(error.code)}` };
  }
}

async function probeSound(av: NodeAv): Promise<ProbeResult> {
  const encoder = await openSoundEncoder(av);
  encoder.encode(Buffer.alloc(pieceOfSound.bytes));
  return { works: true, detail: 'encodes sound' };
}

async function probePicture(av: NodeAv, name: LocalEncoderName): Promise<ProbeResult> {
  const missing = whatIsMissing(av, name);
  if (missing) return { works: false, detail: missing };
  const begun = performance.now();
  const encoder = await openVideoEncoder(av, {
    name,
    size,
    fps: 30,
    bitrate: 1_000_000,
    effort: 'veryfast',
    threads: 1,
  });
  const pixels = Buffer.alloc(size.width * size.height * bytesPerPixel, 0x40);
  const [unit] = await encoder.encode(pixels, wholeScreen(size.height), { ptsMicroseconds: 0n, key: true });
  if (!unit?.key || unit.data.byteLength === 0)
    return { works: false, detail: `${name} opens, but gives no picture at once` };
  return { works: true, detail: `encodes a picture (${Math.round(performance.now() - begun)} ms with its start)` };
}

/** What can be said without trying, or null. */
function whatIsMissing(av: NodeAv, name: LocalEncoderName): string | null {
  if (!av.Codec.getCodecList().some((codec) => codec.isEncoder() && codec.name === name))
    return name === 'h264_videotoolbox'
      ? 'encoder not compiled in: VideoToolbox is a part of macOS'
      : 'encoder not compiled in';
  if (name === 'h264_nvenc' && !hasCuda(av))
    return 'no CUDA device: an NVIDIA GPU with NVENC and its driver are needed, in a container also the "video" capability';
  if (name === 'h264_vaapi' && !existsSync(renderNode))
    return `no ${renderNode}: a GPU of AMD or Intel with its kernel driver is needed, passed into the container where this is one`;
  return null;
}

function hasCuda(av: NodeAv): boolean {
  const device = new av.HardwareDeviceContext();
  const works = device.create(av.AV_HWDEVICE_TYPE_CUDA, null, null) >= 0;
  device.free();
  return works;
}

const names = [...localEncoderNames, soundEncoderName] as const;
const name = names.find((known) => known === process.argv[2]);
if (!name) throw new Error(`name the encoder to try: ${names.join(', ')}`);
const result = await probe(name);
process.send?.(result, () => process.exit(0));
