import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFence } from './fence.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the fence of a host', () => {
  it('falls once the core has been silent for the time', () => {
    const fallen = vi.fn();
    const fence = createFence(25_000, fallen, () => Date.now());
    fence.asked();
    fence.answered();
    vi.advanceTimersByTime(24_999);
    expect(fallen).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60_000);
    expect(fallen).toHaveBeenCalledOnce();
  });

  it('counts from the question, so that an answer which was long under way does not prolong it', () => {
    const fallen = vi.fn();
    const fence = createFence(25_000, fallen, () => Date.now());
    fence.asked();
    vi.advanceTimersByTime(20_000);
    fence.answered();
    vi.advanceTimersByTime(4999);
    expect(fallen).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fallen).toHaveBeenCalledOnce();
  });

  it('holds while questions are answered, each its own', () => {
    const fallen = vi.fn();
    const fence = createFence(25_000, fallen, () => Date.now());
    for (let beat = 0; beat < 20; beat++) {
      fence.asked();
      vi.advanceTimersByTime(5000);
      fence.answered();
    }
    expect(fallen).not.toHaveBeenCalled();
  });

  it('does not take the answer of a new connection for one to a question of the old', () => {
    const fallen = vi.fn();
    const fence = createFence(25_000, fallen, () => Date.now());
    fence.asked();
    fence.answered();
    fence.asked();
    vi.advanceTimersByTime(20_000);
    fence.reset();
    fence.asked();
    fence.answered();
    vi.advanceTimersByTime(24_999);
    expect(fallen).not.toHaveBeenCalled();
  });

  it('stays up before the first answer, when there is nothing to lose', () => {
    const fallen = vi.fn();
    createFence(25_000, fallen, () => Date.now()).asked();
    vi.advanceTimersByTime(100_000);
    expect(fallen).not.toHaveBeenCalled();
  });
});
