import { captureScreen } from '../capture/screen-capture.ts';
import { loadNodeAv } from '../encode/node-av.ts';
import { createInput } from '../input/create-input.ts';
import { createPersonSteps } from '../input/person-steps.ts';
import { protocolVersion, type ServerMessage } from '../protocol.ts';
import { openClipboard } from '../x11/clipboard.ts';
import { connectX } from '../x11/connect.ts';
import { openScreen } from '../x11/screen.ts';
import { watchForStall } from '../x11/stall.ts';
import { createBitrateLadder } from './bitrate-ladder.ts';
import { createCursorFeed } from './cursor-feed.ts';
import { createFanOut } from './fan-out.ts';
import { createSoundFeed, type SoundFeed } from './sound-feed.ts';
import { createStills } from './stills.ts';
import {
  InputRefusedError,
  NothingRecordedError,
  type Streamer,
  type StreamerListener,
  type StreamerOptions,
  type ViewerPerson,
} from './streamer.ts';
import { createVideoFeed, type VideoFeed } from './video-feed.ts';
import { createViewers } from './viewers.ts';

/** A Streamer inside of its process: what the host's port reaches by messages. */
export type DesktopStreamer = Omit<Streamer, 'pid' | 'ended'> & {
  /** Resolves with the reason when the screen is gone. */
  readonly lost: Promise<Error>;
};

/** How often it is looked at how the viewers fare. */
const reviewEveryMs = 1000;

/**
 * Connects one Desktop's screen with those who watch it: one capture and one encoder however many they are, one controller's input, and
 * the agent's when nobody controls.
 *
 * @throws XLostError when there is no X server
 */
export async function createDesktopStreamer(
  options: StreamerOptions,
  listener: StreamerListener,
): Promise<DesktopStreamer> {
  const hasEncoder = options.encoders.names.length > 0;
  const encodes = hasEncoder || options.sound !== null;
  const [x, av] = await Promise.all([connectX(options.display), encodes ? loadNodeAv() : null]);
  const screen = await openScreen(x);
  const ladder = createBitrateLadder();
  const fanOut = createFanOut(() => video?.requestKeyframe());
  let video: VideoFeed | undefined;
  let sound: SoundFeed | undefined;
  /** Broken off when a person takes over. */
  let acting = new AbortController();
  /** What a person has sent and is not done yet: without this a long text would be typed on under the hands of who takes over. */
  let controlling = new AbortController();
  let people: readonly ViewerPerson[] = [];

  const viewers = createViewers({
    fanOut,
    hello,
    hasVideo: () => video !== undefined,
    bitrate: () => ladder.bitrate,
    hasSound: () => sound !== undefined,
    soundWanted: (wanted) => sound?.setWanted(wanted),
    cursor: () => cursor.last(),
    input: async (done) => {
      steps.saw(done);
      await input.apply(done, controlling.signal);
    },
    clipboard: (text) => clipboard.offer(text),
    resize: (width, height) => screen.resize({ width, height }),
    peopleChanged,
    controlAsked: (person) => listener.controlAsked(person),
    controlReleased(person) {
      tellSteps();
      listener.controlReleased(person);
    },
  });
  const [clipboard, capture] = await Promise.all([
    // A copy that cannot be read is not offered to the person; the next one may be.
    openClipboard(x, (error) => trouble('what was copied could not be read', error)),
    captureScreen(x, { damaged: () => video?.damaged(), resized: greetAgain }),
  ]);
  const input = await createInput(x, screen, clipboard);
  const steps = createPersonSteps(() => screen.size);
  const stills = createStills(capture);
  if (av && hasEncoder)
    video = createVideoFeed({
      av,
      capture,
      encoders: options.encoders,
      fps: options.fps,
      bitrate: ladder.bitrate,
      recordings: options.recordings,
      recordingFailed: (error) => trouble('a recording ended early', error),
      fanOut,
      replaced: (name, error) => trouble(`the encoder ${name} failed, so another encodes from now on`, error),
      failed: goOnWithStills,
      encoding: (state) => listener.encoding?.(state),
    });
  if (av && options.sound !== null)
    sound = createSoundFeed({ av, socketPath: options.sound, publish: viewers.sendSound, trouble });
  const cursor = createCursorFeed(x, screen, viewers.tell);
  const stopCopies = clipboard.onCopied((text) => viewers.tellController({ type: 'clipboard', text }));
  const reviews = setInterval(review, reviewEveryMs);
  const stall = watchForStall(x);

  function hello(person: ViewerPerson): ServerMessage {
    const { width, height } = capture.size;
    const codec = video ? 'h264' : 'jpeg';
    return { type: 'hello', v: protocolVersion, desktop: options.desktop, width, height, codec, mode: person.mode };
  }

  function greetAgain({ width, height }: { width: number; height: number }): void {
    viewers.helloAgain();
    listener.resized(width, height);
    video?.requestKeyframe();
  }

  function trouble(what: string, error: unknown): void {
    listener.trouble?.(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }

  function goOnWithStills(error: unknown): void {
    trouble('the encoder failed, so the picture is stills from now on', error);
    const failed = video;
    video = undefined;
    viewers.helloAgain();
    void failed?.close();
  }

  function peopleChanged(now: readonly ViewerPerson[]): void {
    const { controller } = viewers;
    const had = people.some(({ viewer }) => viewer === controller?.viewer);
    people = now;
    if (had && !now.some(({ viewer }) => viewer === controller?.viewer)) void input.releaseAll();
    cursor.watch(now.length > 0);
    listener.viewers(now);
  }

  function tellSteps(): void {
    const did = steps.take();
    if (did.length > 0) listener.personDid(did);
  }

  function review(): void {
    if (people.length === 0 || !video) return;
    const before = ladder.bitrate;
    const { bitrate, tooSlow } = ladder.review(viewers.takeReports(), performance.now());
    for (const viewer of tooSlow) viewers.giveUpVideo(viewer);
    if (bitrate === before) return;
    video.setBitrate(bitrate);
    viewers.tellBitrate();
  }

  return {
    lost: Promise.race([x.lost, stall.stalled]),
    dial: viewers.dial,
    still: stills.take,
    async act(wanted) {
      const { controller } = viewers;
      if (controller) throw new InputRefusedError(`${controller.name} controls this desktop now`);
      await input.act(wanted, acting.signal);
    },
    setController(controller) {
      tellSteps();
      // Who gives it back has done all of it; who takes it over wants nothing more of the other's.
      if (controller && controller.viewer !== viewers.controller?.viewer) {
        controlling.abort(new InputRefusedError('somebody else has the input now'));
        controlling = new AbortController();
      }
      if (controller) acting.abort(new InputRefusedError(`${controller.name} has taken over this desktop`));
      else acting = new AbortController();
      void input.releaseAll();
      viewers.setController(controller);
    },
    resize: (width, height) => screen.resize({ width, height }),
    record(activation) {
      video?.record(activation);
    },
    async clip(seconds) {
      if (!video) throw new NothingRecordedError('nothing is recorded: this host has no encoder');
      return video.clip(seconds);
    },
    async stop() {
      clearInterval(reviews);
      stall.stop();
      stopCopies();
      viewers.close();
      sound?.close();
      fanOut.close();
      cursor.watch(false);
      await video?.close();
      capture.close();
      await input.close();
      await clipboard.close();
      await x.close();
    },
  };
}
