import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFanOut, type FanOut, type Subscriber } from './fan-out.ts';

let fanOut: FanOut;
let keyframesAsked: number;
let next: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  keyframesAsked = 0;
  next = 1;
  fanOut = createFanOut(() => keyframesAsked++);
});

afterEach(() => {
  fanOut.close();
  vi.useRealTimers();
});

/** An encoder's next picture: a keyframe when one was asked for since the last. */
let answered = 0;
beforeEach(() => {
  answered = 0;
});
function draw(bytes = 1000): { sequence: number; key: boolean } {
  const key = keyframesAsked > answered;
  answered = keyframesAsked;
  const picture = { sequence: next++, key, frame: new Uint8Array(bytes) };
  fanOut.publish(picture);
  return picture;
}

/** A viewer that acknowledges what it gets at once, unless it is paused. */
function watch(): { subscriber: Subscriber; got: number[]; pause(): void; resume(): void } {
  const got: number[] = [];
  let paused = false;
  const subscriber = fanOut.add({
    send() {
      const sequence = next - 1;
      got.push(sequence);
      if (!paused) subscriber.acknowledge(sequence);
    },
  });
  return {
    subscriber,
    got,
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      const last = got.at(-1);
      if (last !== undefined) subscriber.acknowledge(last);
    },
  };
}

describe('a viewer', () => {
  it('that comes gets a keyframe first', () => {
    const early = watch();
    draw();
    vi.advanceTimersByTime(2000);
    draw();
    const late = watch();
    const first = draw();
    expect(first.key).toBe(true);
    expect(late.got).toEqual([first.sequence]);
    expect(early.got).toEqual([1, 2, 3]);
  });

  it('that keeps up is sent everything', () => {
    const viewer = watch();
    for (let n = 0; n < 300; n++) {
      draw();
      vi.advanceTimersByTime(33);
    }
    expect([viewer.subscriber.sent, viewer.subscriber.skipped]).toEqual([300, 0]);
    expect(keyframesAsked).toBe(1);
  });

  it('more than 400 ms behind is left out, and goes on from a keyframe once everything has arrived; the others lose nothing', () => {
    const fast = watch();
    const slow = watch();
    draw();
    slow.pause();
    for (let n = 0; n < 30; n++) {
      vi.advanceTimersByTime(50);
      draw();
    }
    // the first one that it did not acknowledge, and those of the 400 ms after it
    expect(slow.subscriber.sent).toBe(1 + 9);
    expect(keyframesAsked).toBe(1);
    slow.resume();
    expect(keyframesAsked).toBe(2);
    const again = draw();
    expect(again.key).toBe(true);
    expect(slow.got.at(-1)).toBe(again.sequence);
    expect([fast.subscriber.sent, fast.subscriber.skipped]).toEqual([32, 0]);
  });

  it('with more than 1.5 MB on the way is left out, however little time has passed', () => {
    const slow = watch();
    slow.pause();
    for (let n = 0; n < 10; n++) draw(400_000);
    expect(slow.subscriber.sent).toBe(4);
  });

  it('that acknowledges what it never reads is left out all the same', () => {
    let bufferedBytes = 0;
    const subscriber = fanOut.add({
      send(frame) {
        bufferedBytes += frame.byteLength;
        subscriber.acknowledge(next - 1);
      },
      get bufferedBytes() {
        return bufferedBytes;
      },
    });
    for (let n = 0; n < 10; n++) draw(400_000);
    expect(subscriber.sent).toBe(4);
  });

  it('reports how long its acknowledgements take and what it was not sent, since the last report', () => {
    const viewer = watch();
    draw();
    viewer.pause();
    draw();
    vi.advanceTimersByTime(300);
    expect(viewer.subscriber.takeReport()).toEqual({ skipped: 0, lagMs: 300 });
    vi.advanceTimersByTime(200);
    draw();
    expect(fanOut.isReady).toBe(false);
    viewer.resume();
    expect(fanOut.isReady).toBe(true);
    expect(viewer.subscriber.takeReport()).toEqual({ skipped: 1, lagMs: 500 });
    expect(viewer.subscriber.takeReport()).toEqual({ skipped: 0, lagMs: 0 });
  });

  it('is not sent a keyframe that another has asked for while it is still behind', () => {
    const slow = watch();
    draw();
    slow.pause();
    draw();
    vi.advanceTimersByTime(1500);
    watch();
    const key = draw();
    expect(key.key).toBe(true);
    expect(slow.got).not.toContain(key.sequence);
  });

  it('whose video is paused gets nothing, and a keyframe when it wants it again', () => {
    const viewer = watch();
    draw();
    viewer.subscriber.setEnabled(false);
    expect(fanOut.watching).toBe(0);
    draw();
    vi.advanceTimersByTime(5000);
    viewer.subscriber.setEnabled(true);
    const again = draw();
    expect([again.key, viewer.got]).toEqual([true, [1, again.sequence]]);
  });

  it('that is gone is sent nothing', () => {
    const viewer = watch();
    viewer.subscriber.remove();
    draw();
    expect(viewer.got).toEqual([]);
  });
});

it('keyframes are asked for at most once a second, and not again when one has served everybody', () => {
  for (let n = 0; n < 50; n++) watch();
  expect(keyframesAsked).toBe(1);
  draw();
  const late = Array.from({ length: 10 }, watch);
  expect(keyframesAsked).toBe(1);
  vi.advanceTimersByTime(1000);
  expect(keyframesAsked).toBe(2);
  draw();
  vi.advanceTimersByTime(5000);
  expect(keyframesAsked).toBe(2);
  expect(late.every((viewer) => viewer.got.length === 1)).toBe(true);
});
