import { describe, expect, it } from 'vitest';
import { type BatchOutcome, batching } from './batching.ts';

const later = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('batching', () => {
  it('runs what comes together together, in order, and what comes meanwhile in the next batch', async () => {
    const batches: number[][] = [];
    const double = batching(
      async (inputs: number[]): Promise<BatchOutcome<number>[]> => {
        batches.push(inputs);
        await later();
        return inputs.map((input) => ({ value: input * 2 }));
      },
      { atMost: 3, inFlight: 1 },
    );
    const first = [1, 2].map(double);
    await new Promise((resolve) => setImmediate(resolve));
    const second = [3, 4, 5, 6].map(double);
    expect(await Promise.all([...first, ...second])).toEqual([2, 4, 6, 8, 10, 12]);
    expect(batches).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  it('fails one call for what is wrong with it, and all of a batch when the batch fails', async () => {
    const picky = batching(
      async (inputs: number[]): Promise<BatchOutcome<number>[]> => {
        if (inputs.includes(0)) throw new Error('the database is away');
        return inputs.map((input) => (input < 0 ? { error: new Error('negative') } : { value: input }));
      },
      { atMost: 10, inFlight: 2 },
    );
    const outcomes = await Promise.allSettled([picky(1), picky(-1)]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected']);
    await expect(Promise.all([picky(0), picky(1)])).rejects.toThrow('the database is away');
    expect(await picky(7)).toBe(7);
  });
});
