import { describe, expect, it } from 'vitest';
import { decideWhoWakes, hopLimit, type WakingFacts } from './decide-who-wakes.ts';

const quiet: WakingFacts = {
  sourceKind: 'human',
  author: 'w-ada',
  hops: 0,
  addressed: [],
  addressedByName: false,
  silent: false,
  subscribers: [],
  participants: [],
  defaultWorker: null,
};

const wokenBy = (facts: Partial<WakingFacts>) => decideWhoWakes({ ...quiet, ...facts }).wake;

describe('who is woken', () => {
  it('is the default worker when nobody else is meant', () => {
    expect(wokenBy({ defaultWorker: 'w-assistant' })).toEqual(['w-assistant']);
    expect(wokenBy({ defaultWorker: 'w-assistant', participants: ['w-scout'] })).toEqual(['w-scout']);
    expect(wokenBy({ defaultWorker: 'w-assistant', addressed: ['w-scout'] })).toEqual(['w-scout']);
  });

  it('is only who is named, and those who listen to everything', () => {
    expect(
      wokenBy({
        addressed: ['w-scout'],
        addressedByName: true,
        participants: ['w-other'],
        subscribers: [
          { worker: 'w-all', mode: 'all' },
          { worker: 'w-mentions', mode: 'mentions' },
        ],
      }),
    ).toEqual(['w-all', 'w-scout']);
  });

  it('is no participant and no default worker when an AI speaks: only who listens to everything, or is addressed', () => {
    const ai = { sourceKind: 'ai', author: 'w-bot', hops: 1 } as const;
    expect(wokenBy({ ...ai, participants: ['w-scout'], defaultWorker: 'w-assistant' })).toEqual([]);
    expect(wokenBy({ ...ai, subscribers: [{ worker: 'w-all', mode: 'all' }] })).toEqual(['w-all']);
  });

  it('is never the author, and nobody for a notice or what is silent', () => {
    const all = [{ worker: 'w-ada', mode: 'all' }] as const;
    expect(wokenBy({ subscribers: all })).toEqual([]);
    expect(wokenBy({ sourceKind: 'notice', defaultWorker: 'w-assistant' })).toEqual([]);
    expect(wokenBy({ silent: true, addressed: ['w-scout'] })).toEqual([]);
  });

  it('is nobody past the hop limit, which is told only if somebody would have been', () => {
    const facts = { ...quiet, sourceKind: 'ai', subscribers: [{ worker: 'w-all', mode: 'all' }] } as const;
    expect(decideWhoWakes({ ...facts, hops: hopLimit })).toEqual({ wake: ['w-all'], hopLimitReached: false });
    expect(decideWhoWakes({ ...facts, hops: hopLimit + 1 })).toEqual({ wake: [], hopLimitReached: true });
    expect(decideWhoWakes({ ...facts, subscribers: [], hops: hopLimit + 1 })).toEqual({
      wake: [],
      hopLimitReached: false,
    });
  });
});
