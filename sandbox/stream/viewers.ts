import type { Input, ServerMessage, VideoOffReason, ViewerMessage } from '../protocol.ts';
import type { FanOut, Subscriber } from './fan-out.ts';
import type { Controller, ViewerDial, ViewerPerson } from './streamer.ts';
import { dialViewer, type ViewerConnection } from './viewer-connection.ts';

/** What viewers need of the Desktop that they watch. */
export interface ViewersOptions {
  fanOut: FanOut;
  /** What a viewer is told first, and again when it has changed. */
  hello(person: ViewerPerson): ServerMessage;
  /** Whether there is video at all; otherwise the picture is stills. */
  hasVideo(): boolean;
  bitrate(): number;
  /** Whether there is sound at all. */
  hasSound(): boolean;
  /** Somebody has begun to listen, or nobody does any more. */
  soundWanted(wanted: boolean): void;
  /** The last cursor, shape and all. */
  cursor(): ServerMessage | undefined;
  /** From the viewer who controls, and nobody else. */
  input(input: Input): Promise<void>;
  clipboard(text: string): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  peopleChanged(people: readonly ViewerPerson[]): void;
  controlAsked(person: ViewerPerson): void;
  controlReleased(person: ViewerPerson): void;
}

/** All who watch a Desktop. */
export interface Viewers {
  dial(viewer: ViewerDial): void;
  readonly controller: Controller | null;
  setController(controller: Controller | null): void;
  /** To everybody. */
  tell(message: ServerMessage): void;
  /** To the one who controls. */
  tellController(message: ServerMessage): void;
  /** What comes next begins with a keyframe of another size or codec. */
  helloAgain(): void;
  /** Everybody who is being sent video, and how they fare. */
  takeReports(): { viewer: string; skipped: number; lagMs: number }[];
  /** This one is too slow for video until it asks again. */
  giveUpVideo(viewer: string): void;
  /** A packet of sound, to everybody who listens and is not behind: what comes late is of no use to them, and would hold up the picture. */
  sendSound(frame: Uint8Array): void;
  /** Tells everybody with video the bitrate. */
  tellBitrate(): void;
  close(): void;
}

interface Viewer {
  connection: ViewerConnection;
  subscriber: Subscriber;
  off: VideoOffReason | null;
  listens: boolean;
}

/** More input than that under way at once is no person's. */
const inputsAtMost = 500;
/** Who has more than this waiting for a slow link gets no sound besides. */
const bytesBeforeSound = 64 * 1024;

/** Connects viewers to a Desktop: who watches, who controls, who is sent video. */
export function createViewers(options: ViewersOptions): Viewers {
  const viewers = new Map<string, Viewer>();
  let controller: Controller | null = null;
  let inputsUnderWay = 0;
  let soundWanted = false;

  const people = () => [...viewers.values()].map(({ connection }) => connection.person);
  const tell = (message: ServerMessage) => {
    for (const { connection } of viewers.values()) connection.send(message);
  };

  function tellVideo({ connection, off }: Viewer): void {
    const reason = options.hasVideo() ? off : 'no_encoder';
    if (reason === null) connection.send({ type: 'video', enabled: true, bitrate: options.bitrate() });
    else connection.send({ type: 'video', enabled: false, bitrate: 0, reason });
  }

  function setSound(viewer: Viewer, listens: boolean): void {
    if (!options.hasSound()) {
      viewer.connection.refuse('bad_frame', 'this desktop has no sound');
      return;
    }
    viewer.listens = listens;
    viewer.connection.send({ type: 'sound', enabled: listens });
    reviewSound();
  }

  function reviewSound(): void {
    const wanted = [...viewers.values()].some(({ listens }) => listens);
    if (wanted === soundWanted) return;
    soundWanted = wanted;
    options.soundWanted(wanted);
  }

  function setVideo(viewer: Viewer, off: VideoOffReason | null): void {
    viewer.off = off;
    viewer.subscriber.setEnabled(off === null && options.hasVideo());
    tellVideo(viewer);
  }

  function tellController({ connection }: Viewer): void {
    const you = controller?.viewer === connection.person.viewer;
    connection.send({ type: 'controller', name: controller?.name ?? null, you });
  }

  function tellWhoWatches(): void {
    tell({ type: 'viewers', names: people().map(({ name }) => name) });
    options.peopleChanged(people());
  }

  function greet(viewer: Viewer): void {
    const { connection } = viewer;
    connection.send(options.hello(connection.person));
    tellController(viewer);
    tellVideo(viewer);
    if (options.hasSound()) connection.send({ type: 'sound', enabled: viewer.listens });
    const cursor = options.cursor();
    if (cursor) connection.send(cursor);
  }

  function mayControl({ connection }: Viewer, what: string): boolean {
    if (connection.person.mode === 'control') return true;
    connection.refuse('forbidden', `this link lets you watch; ${what} needs one that controls`);
    return false;
  }

  function isController({ connection }: Viewer): boolean {
    return controller?.viewer === connection.person.viewer;
  }

  /** What a person does is done in order, and a failure told to them: a key that there is not, a size that the screen cannot have. */
  function act(viewer: Viewer, work: () => Promise<void>): void {
    if (inputsUnderWay >= inputsAtMost) {
      viewer.connection.refuse('bad_frame', 'this is more input at once than is taken');
      return;
    }
    inputsUnderWay += 1;
    work()
      .catch((error: unknown) => {
        viewer.connection.refuse('bad_frame', error instanceof Error ? error.message : String(error));
      })
      .finally(() => {
        inputsUnderWay -= 1;
      });
  }

  function hear(viewer: Viewer, message: ViewerMessage): void {
    const { connection } = viewer;
    switch (message.type) {
      case 'ping':
        connection.send({ type: 'pong', t: message.t });
        break;
      case 'set_video_enabled':
        setVideo(viewer, message.enabled ? null : 'asked');
        break;
      case 'set_sound_enabled':
        setSound(viewer, message.enabled);
        break;
      case 'request_control':
        if (mayControl(viewer, 'taking over')) options.controlAsked(connection.person);
        break;
      case 'release_control':
        if (isController(viewer)) options.controlReleased(connection.person);
        break;
      case 'clipboard':
        if (mayControl(viewer, 'pasting') && isController(viewer)) act(viewer, () => options.clipboard(message.text));
        break;
      case 'resize':
        if (mayControl(viewer, 'resizing') && isController(viewer))
          act(viewer, () => options.resize(message.width, message.height));
        break;
      // The core has read it, before it asked for this connection.
      case 'auth':
        break;
    }
  }

  function dial(target: ViewerDial): void {
    const id = target.person.viewer;
    let viewer: Viewer | undefined;
    const connection = dialViewer(target, {
      connected() {
        viewers.get(id)?.connection.close();
        const subscriber = options.fanOut.add({
          send: connection.sendFrame,
          get bufferedBytes() {
            return connection.bufferedBytes;
          },
        });
        subscriber.setEnabled(options.hasVideo());
        viewer = { connection, subscriber, off: null, listens: false };
        viewers.set(id, viewer);
        greet(viewer);
        tellWhoWatches();
        reviewSound();
      },
      said: (message) => {
        if (viewer) hear(viewer, message);
      },
      did(input) {
        if (!viewer || !mayControl(viewer, 'clicking and typing') || !isController(viewer)) return;
        act(viewer, () => options.input(input));
      },
      acknowledged: ({ sequence }) => viewer?.subscriber.acknowledge(sequence),
      gone() {
        viewer?.subscriber.remove();
        if (!viewer || viewers.get(id) !== viewer) return;
        viewers.delete(id);
        tellWhoWatches();
        reviewSound();
      },
    });
  }

  return {
    dial,
    get controller() {
      return controller;
    },
    setController(next) {
      controller = next;
      for (const viewer of viewers.values()) tellController(viewer);
    },
    tell,
    tellController(message) {
      if (controller) viewers.get(controller.viewer)?.connection.send(message);
    },
    helloAgain() {
      for (const viewer of viewers.values()) {
        viewer.connection.send(options.hello(viewer.connection.person));
        // Off and on: nothing more before the next keyframe.
        viewer.subscriber.setEnabled(false);
        viewer.subscriber.setEnabled(viewer.off === null && options.hasVideo());
        tellVideo(viewer);
      }
    },
    takeReports: () =>
      [...viewers]
        .filter(([, { off }]) => off === null)
        .map(([viewer, { subscriber }]) => ({ viewer, ...subscriber.takeReport() })),
    giveUpVideo(id) {
      const viewer = viewers.get(id);
      if (viewer?.off === null) setVideo(viewer, 'slow');
    },
    sendSound(frame) {
      for (const { connection, subscriber, listens } of viewers.values())
        if (listens && !subscriber.isBehind && connection.bufferedBytes <= bytesBeforeSound)
          connection.sendFrame(frame);
    },
    tellBitrate() {
      for (const viewer of viewers.values()) if (viewer.off === null) tellVideo(viewer);
    },
    close() {
      for (const { connection } of viewers.values()) connection.close();
    },
  };
}
