import type { Logger } from 'pino';
import type { AgentStep } from '../agent-step.ts';
import type { CommandRequest, CommandResult, Driver, Sandbox } from '../drivers/driver.ts';
import type { DesiredDesktop } from '../host/messages.ts';
import {
  type Encoders,
  InputRefusedError,
  type Still,
  type StillRequest,
  type Streamer,
  type ViewerDial,
  type ViewerPerson,
} from '../stream/streamer.ts';
import { type ControlChange, ControlledError, createControlLease } from './control-lease.ts';
import { createOpenDials } from './open-dials.ts';
import type { StreamerMemory } from './streamer-memory.ts';
import { createStreamerOnDemand, type StartStreamer } from './streamer-on-demand.ts';

/** What all Desktops of a host are made with. */
export interface DesktopParts {
  driver: Driver;
  startStreamer: StartStreamer;
  encoders: Encoders;
  fps: number;
  /** Whether Desktops have sound. */
  sound: boolean;
  log: Logger;
  /** How long a streamer stays without use, and a person without a viewer keeps the input: milliseconds, for tests. */
  idleMs?: number;
  graceMs?: number;
  streamerMemory?: StreamerMemory;
}

/** Where a Desktop's folders are. */
export interface DesktopFolders {
  /** Stays. */
  home: string;
  /** Empty, and removed when the Desktop has ended. */
  runtime: string;
  removeRuntime(): Promise<void>;
  recordings: string;
}

/** A core that has lost the connections of its viewers asks for new ones within moments. */
const awaitViewersMs = 10_000;

/** What a Desktop tells. */
export interface DesktopListener {
  /** Its size or the number of its viewers is another one. */
  changed(): void;
  control(change: ControlChange): void;
}

/** One Desktop at work: a sandbox with a screen, its streamer while there is use for one, and who has its input. */
export interface Desktop {
  readonly generation: number;
  readonly driver: string;
  readonly width: number;
  readonly height: number;
  readonly viewers: number;
  /** Brings size and recording to what is wanted. */
  adjust(wanted: DesiredDesktop): Promise<void>;
  /** Connects the streamer to a person's page. */
  dial(viewer: ViewerDial): Promise<void>;
  still(request: StillRequest): Promise<Still>;
  /** One caller after the other. @throws ControlledError while a person has the input, InputRefusedError */
  act(steps: readonly AgentStep[]): Promise<void>;
  /** @throws ControlledError: a page that opens under a person's hands is input, too */
  openUrl(url: string): Promise<void>;
  run(request: CommandRequest): Promise<CommandResult>;
  readFile(path: string, offset: number, bytes: number): Promise<{ data: Buffer; size: number }>;
  writeFile(path: string, data: Buffer): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  /** @throws NothingRecordedError */
  clip(seconds: number): Promise<Buffer>;
  /** Resolves with the reason when it has ended by itself. */
  readonly ended: Promise<string>;
  /** Ends everything of it. The home stays. */
  stop(): Promise<void>;
}

/**
 * Starts a Desktop.
 *
 * @throws DriverError when its sandbox does not start; nothing of it is left
 */
export async function startDesktop(
  parts: DesktopParts,
  wanted: DesiredDesktop,
  folders: DesktopFolders,
  listener: DesktopListener,
): Promise<Desktop> {
  const { id, limits, network, width, height } = wanted;
  try {
    const sandbox = await parts.driver.start({
      desktop: id,
      home: folders.home,
      runtime: folders.runtime,
      limits,
      network: network.length === 0 ? { kind: 'none' } : { kind: 'allow', hosts: network },
      width,
      height,
      sound: parts.sound,
    });
    return desktopOf(parts, wanted, folders, sandbox, listener);
  } catch (error) {
    await folders.removeRuntime();
    throw error;
  }
}

function desktopOf(
  parts: DesktopParts,
  first: DesiredDesktop,
  folders: DesktopFolders,
  sandbox: Sandbox,
  listener: DesktopListener,
): Desktop {
  const log = parts.log.child({ desktop: first.id });
  let { width, height, recording } = first;
  let wantedSize = { width, height };
  let people: readonly ViewerPerson[] = [];
  /** The streamer has died under its viewers: they still wait at the core, which asks for them anew. */
  let awaited: NodeJS.Timeout | undefined;
  let acting: Promise<unknown> = Promise.resolve();

  if (sandbox.sound.state === 'missing') log.warn({ why: sandbox.sound.why }, 'this Desktop has no sound');
  const dials = createOpenDials();
  const streamers = createStreamerOnDemand({
    log,
    idleMs: parts.idleMs,
    memory: parts.streamerMemory,
    isNeeded: () => people.length > 0 || awaited !== undefined || recording !== null,
    async start() {
      let streamer: Streamer | undefined;
      // One that is ending speaks for nobody any more.
      const speaks = () => streamer === undefined || streamer === streamers.running;
      streamer = await parts.startStreamer(
        {
          desktop: first.id,
          display: sandbox.display,
          encoders: parts.encoders,
          sound: sandbox.sound.state === 'on' ? sandbox.sound.socketPath : null,
          fps: parts.fps,
          recordings: folders.recordings,
        },
        {
          viewers: (now) => speaks() && setPeople(now),
          controlAsked: (person) => speaks() && lease.take(person),
          controlReleased: (person) => speaks() && lease.giveBack(person),
          personDid: (steps) => lease.did(steps),
          resized: (toWidth, toHeight) => speaks() && resized(toWidth, toHeight),
          trouble: (what) => log.warn({ what }, 'the streamer goes on without something'),
          encoding: ({ encoder, effort, fps, bitrate }) =>
            log.debug({ encoder, effort, fps, bitrate }, 'the picture is encoded so from here on'),
        },
      );
      return streamer;
    },
    began(streamer) {
      lease.streamerBegan();
      dials.repeat(streamer);
      if (recording !== null) streamer.record(recording);
    },
    ended(unasked) {
      if (unasked && people.length > 0) awaitViewers();
      setPeople([]);
    },
  });
  const lease = createControlLease({
    setController: (controller) => streamers.running?.setController(controller),
    changed: listener.control,
    graceMs: parts.graceMs,
  });
  if (recording !== null) streamers.review();

  function awaitViewers(): void {
    clearTimeout(awaited);
    awaited = setTimeout(() => {
      awaited = undefined;
      streamers.review();
    }, awaitViewersMs);
    awaited.unref();
  }

  function setPeople(now: readonly ViewerPerson[]): void {
    people = now;
    dials.connected(now);
    lease.viewers(now);
    streamers.review();
    listener.changed();
  }

  function resized(toWidth: number, toHeight: number): void {
    width = toWidth;
    height = toHeight;
    listener.changed();
  }

  async function resize(toWidth: number, toHeight: number): Promise<void> {
    if (toWidth === width && toHeight === height) return;
    await (await streamers.use()).resize(toWidth, toHeight);
    resized(toWidth, toHeight);
  }

  function unlessControlled(): void {
    if (lease.holder !== null) throw new ControlledError(lease.holder);
  }

  async function act(steps: readonly AgentStep[]): Promise<void> {
    unlessControlled();
    try {
      await (await streamers.use()).act(steps);
    } catch (error) {
      // A person took it while the steps were under way.
      if (error instanceof InputRefusedError) unlessControlled();
      throw error;
    }
  }

  return {
    generation: first.generation,
    driver: parts.driver.name,
    get width() {
      return width;
    },
    get height() {
      return height;
    },
    get viewers() {
      return people.length;
    },
    async adjust(wanted) {
      if (wanted.recording !== recording) {
        recording = wanted.recording;
        streamers.running?.record(recording);
        streamers.review();
      }
      // Only a wish that is new: a person may have chosen another size since the last one.
      if (wanted.width === wantedSize.width && wanted.height === wantedSize.height) return;
      wantedSize = { width: wanted.width, height: wanted.height };
      await resize(wanted.width, wanted.height);
    },
    async dial(viewer) {
      dials.add(viewer);
      // One that is just starting is told of it when it has begun.
      streamers.running?.dial(viewer);
      await streamers.use();
    },
    still: async (request) => (await streamers.use()).still(request),
    act(steps) {
      const turn = acting.then(() => act(steps));
      acting = turn.catch(() => undefined);
      return turn;
    },
    async openUrl(url) {
      unlessControlled();
      await sandbox.openUrl(url);
    },
    run: (request) => sandbox.run(request),
    readFile: (path, offset, bytes) => sandbox.readFile(path, offset, bytes),
    writeFile: (path, data) => sandbox.writeFile(path, data),
    resize,
    clip: async (seconds) => (await streamers.use()).clip(seconds),
    ended: sandbox.ended,
    async stop() {
      clearTimeout(awaited);
      dials.close();
      lease.close();
      await streamers.stop();
      await sandbox.stop();
      await folders.removeRuntime();
    },
  };
}
