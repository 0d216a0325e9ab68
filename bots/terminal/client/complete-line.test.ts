import { describe, expect, it } from 'vitest';
import { commonBeginning, completionsOf } from './complete-line.ts';

const known = {
  me: { id: 'w-owner', name: 'Owner' },
  commands: ['help', 'hire', 'stop'].map((name) => ({ name, description: '' })),
  workers: [
    { id: 'w-assistant', name: 'Assistant' },
    { id: 'w-ada', name: 'Ada Lovelace' },
  ],
};
const complete = (line: string) => completionsOf(line, known, ['new']);

describe('completing a line', () => {
  it.each([
    ['h', ['help', 'hire']],
    ['/h', ['/help', '/hire']],
    ['n', ['new']],
    ['assi', ['Assistant']],
    ['@a', ['@Ada Lovelace', '@Assistant']],
    ['ADA L', ['Ada Lovelace']],
    ['', []],
    ['help me', []],
    ['x', []],
  ])('%j may become %j', (line, candidates) => {
    expect(complete(line)).toEqual(candidates);
  });

  it('goes as far as all candidates go together, in whatever case', () => {
    expect(commonBeginning(['help', 'hello', 'HELmet'])).toBe('hel');
    expect(commonBeginning(['one'])).toBe('one');
    expect(commonBeginning([])).toBe('');
  });
});
