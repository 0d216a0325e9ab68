import { expect, test } from 'vitest';
import { supervise } from './supervise.ts';

const never = () => new Promise<never>(() => undefined);

test('work that ignores its signal is left behind at once, with the reason', async () => {
  const controller = new AbortController();
  const reason = new Error('stopped');
  const supervised = supervise(controller.signal, 60_000, never);
  setTimeout(() => controller.abort(reason), 20);
  await expect(supervised).rejects.toBe(reason);
});

test('work that ignores its signal is left behind at the deadline', async () => {
  await expect(supervise(new AbortController().signal, 20, never)).rejects.toThrow('no answer within 0.02 s');
});

test('work is not begun after an abort', async () => {
  const reason = new Error('too late');
  const work = () => expect.fail('it began');
  await expect(supervise(AbortSignal.abort(reason), 60_000, work)).rejects.toBe(reason);
});

test('a deadline longer than a timer can hold does not pass at once', async () => {
  const answer = supervise(new AbortController().signal, 1e12, async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return 'in time';
  });
  expect(await answer).toBe('in time');
});

test('what work has left open is told when it has settled', async () => {
  let left: AbortSignal | undefined;
  const work = async (signal: AbortSignal) => {
    left = signal;
    return 'done';
  };
  expect(await supervise(new AbortController().signal, 60_000, work)).toBe('done');
  expect(left?.aborted).toBe(true);
});
