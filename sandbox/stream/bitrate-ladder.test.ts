import { beforeEach, describe, expect, it } from 'vitest';
import {
  type BitrateLadder,
  bitrates,
  createBitrateLadder,
  type LadderStep,
  type ViewerReport,
} from './bitrate-ladder.ts';

let ladder: BitrateLadder;
let now: number;

beforeEach(() => {
  ladder = createBitrateLadder();
  now = 0;
});

const fine = (viewer: string): ViewerReport => ({ viewer, skipped: 0, lagMs: 20 });
const queueing = (viewer: string): ViewerReport => ({ viewer, skipped: 0, lagMs: 300 });
const skipping = (viewer: string): ViewerReport => ({ viewer, skipped: 5, lagMs: 600 });

function reviews(seconds: number, ...reports: ViewerReport[]): LadderStep[] {
  return Array.from({ length: seconds }, () => {
    now += 1000;
    return ladder.review(reports, now);
  });
}

describe('the bitrate', () => {
  it('is the best while all keep up, however long an acknowledgement takes on a far link', () => {
    expect(reviews(60, fine('near'), { viewer: 'far', skipped: 0, lagMs: 350 }).at(-1)?.bitrate).toBe(bitrates[0]);
  });

  it('steps down once a second while one has a queue before it or is skipped', () => {
    reviews(1, fine('a'), fine('b'));
    expect(reviews(2, fine('a'), queueing('b')).map(({ bitrate }) => bitrate)).toEqual([4e6, 2e6]);
    expect(reviews(3, fine('a'), skipping('b')).map(({ bitrate }) => bitrate)).toEqual([1e6, 5e5, 5e5]);
  });

  it('is tried one step up after five calm seconds, and after a failed try only after ten', () => {
    reviews(1, fine('a'));
    reviews(1, queueing('a'));
    expect(reviews(6, fine('a')).map(({ bitrate }) => bitrate)).toEqual([4e6, 4e6, 4e6, 4e6, 4e6, 8e6]);
    reviews(1, queueing('a'));
    expect(reviews(10, fine('a')).at(-1)?.bitrate).toBe(4e6);
    expect(reviews(1, fine('a')).at(-1)?.bitrate).toBe(8e6);
  });

  it('is too much for a viewer that is behind for four seconds at the least', () => {
    reviews(1, fine('a'), fine('slow'));
    expect(reviews(8, fine('a'), skipping('slow')).flatMap(({ tooSlow }) => tooSlow)).toEqual([]);
    expect(reviews(1, fine('a'), skipping('slow'))).toEqual([{ bitrate: 5e5, tooSlow: ['slow'] }]);
  });

  it('goes up again quickly when the slow one has gone', () => {
    reviews(1, fine('a'), fine('slow'));
    reviews(9, fine('a'), skipping('slow'));
    expect(reviews(6, fine('a')).at(-1)?.bitrate).toBe(bitrates[0]);
  });
});
