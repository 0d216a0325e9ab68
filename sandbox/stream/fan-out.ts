import { isLater } from '../protocol.ts';

/** One encoded picture on its way to all viewers of a Desktop: the frame as it goes over the wire. */
export interface Picture {
  sequence: number;
  key: boolean;
  frame: Uint8Array;
}

/** A viewer, as far as pictures are sent to it. */
export interface PictureSink {
  /** Must not wait. */
  send(frame: Uint8Array): void;
  /** What was sent and has not left this process, so that a viewer that acknowledges what it never reads cannot fill the memory. */
  readonly bufferedBytes?: number;
}

/** A viewer that is being sent pictures. */
export interface Subscriber {
  /** The viewer has received everything up to this picture. */
  acknowledge(sequence: number): void;
  /** False: nothing is sent until it is true again, and then from a keyframe on. */
  setEnabled(enabled: boolean): void;
  remove(): void;
  /** How it has fared since this was called last. */
  takeReport(): { skipped: number; lagMs: number };
  /** Whether it is so far behind that pictures are left out for it. */
  readonly isBehind: boolean;
  /** What it was sent and what was left out, since it came. */
  readonly sent: number;
  readonly skipped: number;
}

/** One encoder's pictures to any number of viewers. */
export interface FanOut {
  add(sink: PictureSink): Subscriber;
  publish(picture: Picture): void;
  /** How many viewers want pictures now: with none, nothing need be encoded. */
  readonly watching: number;
  /** True when the next picture would go to anybody, if it were a keyframe; all may be behind. */
  readonly isReady: boolean;
  close(): void;
}

/** A viewer further behind than this is left out until it has caught up, in milliseconds and bytes that it has not acknowledged. */
export const behindAtMost = { ms: 400, bytes: 1_500_000 };

/** A keyframe is asked for at most this often, whoever needs one: it is twenty times as large as another picture. */
export const keyframeEveryMs = 1000;

type State = {
  sink: PictureSink;
  enabled: boolean;
  /** What it was sent would not decode: it gets nothing before the next keyframe. */
  needsKey: boolean;
  /** Sent and not acknowledged, oldest first. */
  open: { sequence: number; at: number; bytes: number }[];
  openBytes: number;
  sent: number;
  skipped: number;
  reported: { skipped: number; lagMs: number };
};

/**
 * Sends each picture to every viewer that keeps up, and never more to one than it takes: what a socket says of its buffer is not enough,
 * since the kernel swallows megabytes for a viewer that has stopped reading. So each viewer acknowledges pictures; one that is too far
 * behind is skipped to the next keyframe, which is asked for once it has drained. None slows another.
 *
 * @param requestKeyframe makes the encoder's next picture a keyframe
 * @param now milliseconds on a clock that never goes back
 */
export function createFanOut(requestKeyframe: () => void, now: () => number = () => performance.now()): FanOut {
  const viewers = new Set<State>();
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: NodeJS.Timeout | undefined;

  function askForKeyframe(): void {
    if (asking) return;
    const wait = askedAt + keyframeEveryMs - now();
    if (wait <= 0) {
      askedAt = now();
      requestKeyframe();
      return;
    }
    asking = setTimeout(() => {
      asking = undefined;
      // Another's keyframe may have served everybody meanwhile.
      if ([...viewers].some(isReadyForKey)) askForKeyframe();
    }, wait);
    asking.unref();
  }

  function publish({ sequence, key, frame }: Picture): void {
    const at = now();
    for (const viewer of viewers) {
      if (!viewer.enabled) continue;
      if (!viewer.needsKey && isBehind(viewer, at)) viewer.needsKey = true;
      if (viewer.needsKey && !(key && isReadyForKey(viewer))) {
        viewer.skipped += 1;
        if (isReadyForKey(viewer)) askForKeyframe();
        continue;
      }
      viewer.needsKey = false;
      viewer.open.push({ sequence, at, bytes: frame.byteLength });
      viewer.openBytes += frame.byteLength;
      viewer.sent += 1;
      viewer.sink.send(frame);
    }
  }

  function add(sink: PictureSink): Subscriber {
    const viewer: State = {
      sink,
      enabled: true,
      needsKey: true,
      open: [],
      openBytes: 0,
      sent: 0,
      skipped: 0,
      reported: { skipped: 0, lagMs: 0 },
    };
    viewers.add(viewer);
    askForKeyframe();
    return {
      acknowledge(sequence) {
        for (let oldest = viewer.open[0]; oldest && !isLater(oldest.sequence, sequence); oldest = viewer.open[0]) {
          viewer.openBytes -= oldest.bytes;
          viewer.reported.lagMs = Math.max(viewer.reported.lagMs, now() - oldest.at);
          viewer.open.shift();
        }
        if (isReadyForKey(viewer)) askForKeyframe();
      },
      setEnabled(enabled) {
        if (viewer.enabled === enabled) return;
        viewer.enabled = enabled;
        viewer.needsKey = true;
        if (isReadyForKey(viewer)) askForKeyframe();
      },
      remove: () => viewers.delete(viewer),
      takeReport() {
        const oldest = viewer.open[0];
        const lagMs = Math.max(viewer.reported.lagMs, oldest ? now() - oldest.at : 0);
        const skipped = viewer.skipped - viewer.reported.skipped;
        viewer.reported = { skipped: viewer.skipped, lagMs: 0 };
        return { skipped, lagMs };
      },
      get isBehind() {
        return isBehind(viewer, now());
      },
      get sent() {
        return viewer.sent;
      },
      get skipped() {
        return viewer.skipped;
      },
    };
  }

  return {
    add,
    publish,
    get watching() {
      return [...viewers].filter((viewer) => viewer.enabled).length;
    },
    get isReady() {
      return [...viewers].some((viewer) => viewer.enabled && (!viewer.needsKey || viewer.open.length === 0));
    },
    close() {
      clearTimeout(asking);
      viewers.clear();
    },
  };
}

function isBehind({ sink, open, openBytes }: State, at: number): boolean {
  const oldest = open[0];
  const bytes = Math.max(openBytes, sink.bufferedBytes ?? 0);
  return bytes > behindAtMost.bytes || (oldest !== undefined && at - oldest.at > behindAtMost.ms);
}

/** It waits for a keyframe and would take it: everything sent before has arrived. */
function isReadyForKey({ enabled, needsKey, open }: State): boolean {
  return enabled && needsKey && open.length === 0;
}
