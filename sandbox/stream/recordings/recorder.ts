import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFragmentedMp4, type Mp4Writer } from '../../encode/fragmented-mp4.ts';
import type { NodeAv } from '../../encode/node-av.ts';
import { fitOneFile, type LivePicture, type PictureFormat } from '../live-video.ts';

/** Writes what is shown into one file an Activation. */
export interface Recorder {
  /** Records from the next keyframe on under this name; null: no more. */
  record(activation: string | null): void;
  readonly isRecording: boolean;
  add(picture: LivePicture): void;
  /** Ends the file that is being written. */
  close(): Promise<void>;
}

/** A name that is no path. */
const plainName = /^[\w-]{1,100}$/;

interface OpenFile {
  mp4: Mp4Writer;
  stream: WriteStream;
  format: PictureFormat;
}

/**
 * Records the encoded pictures as they are as `<folder>/<activation>.mp4`. What cannot be in the same file (the screen has another size or encoder,
 * the same Activation is recorded again) goes to `<activation>.2.mp4` and so on.
 *
 * @param failed told when a file cannot be written: recording ends, the pictures go on
 */
export function createRecorder(av: NodeAv, folder: string, failed: (error: unknown) => void): Recorder {
  let activation: string | null = null;
  let file: OpenFile | undefined;
  /** Its file failed: what is still on the way to it is dropped. */
  let broken: string | null = null;
  /** Pictures are written one after the other, while the next are already being made. */
  let last: Promise<void> = Promise.resolve();

  /** @param of the Activation whose recording is over if it fails; another that began meanwhile goes on */
  function inTurn(of: string | null, work: () => Promise<void>): void {
    last = last.then(work).catch((error) => {
      broken = of;
      if (activation === of) activation = null;
      const { mp4, stream } = file ?? {};
      file = undefined;
      failed(error);
      stream?.destroy();
      // The pieces that are left have nowhere to go; what is wrong was told.
      return mp4?.close().catch(() => undefined);
    });
  }

  async function open(name: string, first: LivePicture): Promise<OpenFile> {
    await mkdir(folder, { recursive: true });
    const stream = await createFile(folder, name);
    const { width, height } = first;
    const mp4 = await createFragmentedMp4(av, { width, height, first }, (piece) => stream.write(piece));
    return { mp4, stream, format: first };
  }

  async function end(): Promise<void> {
    if (!file) return;
    const { mp4, stream } = file;
    file = undefined;
    await mp4.close();
    // Calls back with the error of an earlier piece, too: the disk was full.
    await promisify(stream.end.bind(stream) as (done: (error?: Error | null) => void) => void)();
  }

  return {
    record(next) {
      if (next !== null && !plainName.test(next))
        throw new TypeError(`"${next}" cannot be the name of a recording: letters, digits, - and _ only`);
      if (next === activation) return;
      const before = activation;
      activation = next;
      broken = null;
      inTurn(before, end);
    },
    get isRecording() {
      return activation !== null;
    },
    add(picture) {
      const name = activation;
      if (name === null) return;
      inTurn(name, async () => {
        if (name === broken) return;
        if (file && !fitOneFile(file.format, picture)) await end();
        if (!file && !picture.key) return;
        file ??= await open(name, picture);
        if (file.stream.errored) throw file.stream.errored;
        await file.mp4.write(picture);
      });
    },
    async close() {
      const before = activation;
      activation = null;
      inTurn(before, end);
      await last;
    },
  };
}

/** The first of `name.mp4`, `name.2.mp4` … that is not there yet. */
async function createFile(folder: string, name: string): Promise<WriteStream> {
  for (let part = 1; ; part++) {
    const path = join(folder, part === 1 ? `${name}.mp4` : `${name}.${part}.mp4`);
    const stream = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      stream.once('open', () => resolve(null));
      stream.once('error', resolve);
    });
    if (!error) {
      // What fails later is asked of the stream itself, at the next picture.
      stream.on('error', () => undefined);
      return stream;
    }
    if (error.code !== 'EEXIST') throw error;
  }
}
