import type { NodeAv } from '../encode/node-av.ts';
import { openSoundEncoder, pieceOfSound, type SoundEncoder } from '../encode/sound-encoder.ts';
import { encodeAudio } from '../protocol.ts';
import { listenToSound, type SoundSource } from './sound-source.ts';

/** What a feed is made with. */
export interface SoundFeedOptions {
  av: NodeAv;
  /** The socket that gives what the Desktop plays (SandboxSound, sandbox/drivers/driver.ts). */
  socketPath: string;
  /** One packet, as the frame that goes over the wire. */
  publish(frame: Uint8Array): void;
  /** Something is wrong, as a sentence: the picture goes on. */
  trouble(what: string, error: unknown): void;
}

/** What a Desktop plays, encoded once for all who listen. */
export interface SoundFeed {
  /** Whether anybody listens: while nobody does, nothing is recorded or encoded. */
  setWanted(wanted: boolean): void;
  close(): void;
}

/** Silence is sent for so long, so that what was heard last fades out; then nothing is. */
const fadeMs = 300;
const silence = Buffer.alloc(pieceOfSound.bytes);

/** Opens the encoder with the first who listens. One that fails is not opened again: the Desktop is silent from then on, and that is told. */
export function createSoundFeed({ av, socketPath, publish, trouble }: SoundFeedOptions): SoundFeed {
  let source: SoundSource | undefined;
  let encoder: SoundEncoder | undefined;
  let isOpened = false;
  let closed = false;
  let failed = false;
  let sequence = 0;
  let silentMs: number = fadeMs;

  async function open(): Promise<void> {
    try {
      const opened = await openSoundEncoder(av);
      if (closed) opened.close();
      else encoder = opened;
    } catch (error) {
      fail(error);
    }
  }

  function fail(error: unknown): void {
    failed = true;
    rest();
    encoder?.close();
    encoder = undefined;
    trouble('sound cannot be encoded, so there is none from now on', error);
  }

  function heard(samples: Buffer, ptsMicroseconds: bigint): void {
    silentMs = samples.equals(silence) ? silentMs + pieceOfSound.milliseconds : 0;
    if (silentMs > fadeMs || !encoder) return;
    try {
      const data = encoder.encode(samples);
      sequence = (sequence + 1) >>> 0;
      publish(encodeAudio({ sequence, ptsMicroseconds, data }));
    } catch (error) {
      fail(error);
    }
  }

  function rest(): void {
    source?.close();
    source = undefined;
  }

  return {
    setWanted(wanted) {
      if (!wanted || closed || failed) return rest();
      if (!isOpened) void open();
      isOpened = true;
      silentMs = fadeMs;
      source ??= listenToSound(socketPath, {
        heard,
        lost: (why) => trouble('the sound has stopped and is tried again', new Error(why)),
      });
    },
    close() {
      closed = true;
      rest();
      encoder?.close();
      encoder = undefined;
    },
  };
}
