import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ViewerPerson } from '../stream/streamer.ts';
import { type ControlLease, createControlLease } from './control-lease.ts';

const ann: ViewerPerson = { viewer: 'v-1', subject: 'w-ann', name: 'Ann', mode: 'control' };
const bob: ViewerPerson = { viewer: 'v-2', subject: 'w-bob', name: 'Bob', mode: 'control' };
const guest: ViewerPerson = { viewer: 'v-3', subject: null, name: 'a guest', mode: 'control' };

let events: string[];
let lease: ControlLease;

beforeEach(() => {
  vi.useFakeTimers();
  events = [];
  lease = createControlLease({
    setController: (controller) => void events.push(`controller ${controller ? controller.viewer : 'none'}`),
    changed: (change) =>
      void events.push(
        `${change.name} has ${change.state} it${change.state === 'returned' ? `: ${change.steps.join(', ')}` : ''}`,
      ),
  });
});

afterEach(() => {
  lease.close();
  vi.useRealTimers();
});

describe('the input of a Desktop', () => {
  it("is the agent's until a person takes it, and again when it is given back", () => {
    expect(lease.holder).toBeNull();
    expect(lease.take(ann)).toBe(true);
    expect(lease.holder).toBe('Ann');
    lease.giveBack(ann);
    expect(lease.holder).toBeNull();
    vi.runAllTimers();
    expect(events).toEqual(['controller v-1', 'Ann has taken it', 'controller none', 'Ann has returned it: ']);
  });

  it('is not given to who may only watch', () => {
    expect(lease.take({ ...ann, mode: 'watch' })).toBe(false);
    expect(events).toEqual([]);
  });

  it('passes from person to person without the agent in between, and the steps of both are told at the end', () => {
    lease.take(ann);
    lease.did(['clicked at 1, 2']);
    lease.take(bob);
    expect(lease.holder).toBe('Bob');
    lease.did(['pressed Return']);
    lease.giveBack(ann);
    expect(lease.holder).toBe('Bob');
    lease.giveBack(bob);
    vi.runAllTimers();
    expect(events).toEqual([
      'controller v-1',
      'Ann has taken it',
      'controller v-2',
      'Bob has taken it',
      'controller none',
      'Bob has returned it: clicked at 1, 2, Bob took over from Ann, pressed Return',
    ]);
  });

  it('tells the steps that the streamer had not told yet when it was given back', () => {
    lease.take(ann);
    lease.giveBack(ann);
    lease.did(['typed 5 characters']);
    vi.runAllTimers();
    expect(events.at(-1)).toBe('Ann has returned it: typed 5 characters');
  });

  it('is lost 30 s after the last viewer of the person went', () => {
    lease.take(ann);
    lease.viewers([bob]);
    vi.advanceTimersByTime(29_999);
    expect(lease.holder).toBe('Ann');
    vi.advanceTimersByTime(1);
    expect(lease.holder).toBeNull();
  });

  it('stays with a person who comes back in time, on whatever connection', () => {
    lease.take(ann);
    lease.viewers([]);
    vi.advanceTimersByTime(20_000);
    lease.viewers([bob, { ...ann, viewer: 'v-9' }]);
    vi.advanceTimersByTime(60_000);
    expect(lease.holder).toBe('Ann');
    expect(events.at(-1)).toBe('controller v-9');
  });

  it('does not follow a person to a viewer that may only watch', () => {
    lease.take(ann);
    lease.viewers([{ ...ann, viewer: 'v-9', mode: 'watch' }]);
    vi.advanceTimersByTime(30_000);
    expect(lease.holder).toBeNull();
  });

  it('does not take one unknown person for another', () => {
    lease.take(guest);
    lease.giveBack({ ...guest, viewer: 'v-4' });
    lease.viewers([{ ...guest, viewer: 'v-4' }]);
    expect(lease.holder).toBe('a guest');
    vi.advanceTimersByTime(30_000);
    expect(lease.holder).toBeNull();
  });

  it('is told to a streamer that has begun meanwhile', () => {
    lease.streamerBegan();
    expect(events).toEqual([]);
    lease.take(ann);
    lease.streamerBegan();
    expect(events).toEqual(['controller v-1', 'Ann has taken it', 'controller v-1']);
  });

  it('remembers the latest 200 steps', () => {
    lease.take(ann);
    lease.did(Array.from({ length: 150 }, (_, step) => `early ${step}`));
    lease.did(Array.from({ length: 150 }, (_, step) => `late ${step}`));
    lease.giveBack(ann);
    vi.runAllTimers();
    const steps = events.at(-1)?.split(', ') ?? [];
    expect(steps).toHaveLength(200);
    expect(steps.at(-1)).toBe('late 149');
  });
});
