import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPainter, type Painter } from '../../testing/painter.ts';
import { startTestXServer, type TestXServer } from '../../testing/x-server.ts';
import { startStreamer } from '../start-streamer.ts';
import type { Encoders, EncodingState, Streamer, ViewerPerson } from '../streamer.ts';
import { type LocalCore, startLocalCore } from './local-core.ts';

/** A streamer on a screen of its own, with a core to dial, and what it has told its host. */
export interface StartedStreamer extends AsyncDisposable {
  streamer: Streamer;
  readonly core: LocalCore;
  readonly server: TestXServer;
  readonly painter: Painter;
  readonly recordings: string;
  readonly told: {
    viewers: readonly ViewerPerson[];
    asked: ViewerPerson[];
    released: ViewerPerson[];
    did: string[];
    sizes: string[];
    encodings: EncodingState[];
    troubles: string[];
  };
  /** Starts another in its place, as a host does when one has died. */
  startAgain(): Promise<void>;
}

/** Starts everything; disposing of it ends everything. */
export async function startTestStreamer(
  size: { width: number; height: number },
  encoders: Encoders = { names: ['libx264'], remote: null },
): Promise<StartedStreamer> {
  const server = await startTestXServer(size);
  const core = await startLocalCore();
  const painter = await createPainter(server.display);
  const recordings = await mkdtemp(join(tmpdir(), 'recordings-'));
  const told: StartedStreamer['told'] = {
    viewers: [],
    asked: [],
    released: [],
    did: [],
    sizes: [],
    encodings: [],
    troubles: [],
  };
  const start = () =>
    startStreamer(
      { desktop: 'd-test', display: server.display, encoders, sound: null, fps: 30, recordings },
      {
        viewers: (people) => {
          told.viewers = people;
        },
        controlAsked: (person) => told.asked.push(person),
        controlReleased: (person) => told.released.push(person),
        personDid: (steps) => told.did.push(...steps),
        resized: (width, height) => told.sizes.push(`${width}x${height}`),
        encoding: (state) => told.encodings.push(state),
        trouble: (what) => told.troubles.push(what),
      },
    );
  const started: StartedStreamer = {
    streamer: await start(),
    core,
    server,
    painter,
    recordings,
    told,
    async startAgain() {
      started.streamer = await start();
    },
    async [Symbol.asyncDispose]() {
      await started.streamer.stop();
      await core[Symbol.asyncDispose]();
      await painter.close();
      await server[Symbol.asyncDispose]();
      await rm(recordings, { recursive: true });
    },
  };
  return started;
}
