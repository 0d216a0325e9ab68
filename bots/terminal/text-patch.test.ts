import { describe, expect, it } from 'vitest';
import { applyPatch, patchBetween } from './text-patch.ts';

describe('a patch between two texts', () => {
  it('carries the new tail alone when a text grows', () => {
    expect(patchBetween('Hello', 'Hello world')).toEqual({ at: 5, text: ' world' });
  });

  it.each([
    ['', ''],
    ['', 'grows'],
    ['shrinks altogether', ''],
    ['shrinks', 'shr'],
    ['Looking it up …', 'Looked it up: 4411'],
    ['a › b', 'a › b › c'],
    ['smile 😀', 'smile 😁'],
    ['日本', '日本語'],
  ])('makes %j into %j', (before, after) => {
    expect(applyPatch(before, patchBetween(before, after))).toBe(after);
  });

  it('is never cut between the halves of a pair: 😀 and 😁 begin with the same one', () => {
    expect(patchBetween('smile 😀', 'smile 😁')).toEqual({ at: 6, text: '😁' });
  });

  it('does not apply to a text that is too short for it: something was missed', () => {
    expect(() => applyPatch('abc', { at: 4, text: 'd' })).toThrow(RangeError);
  });
});
