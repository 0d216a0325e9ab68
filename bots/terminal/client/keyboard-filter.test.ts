import { describe, expect, it } from 'vitest';
import { asTyped, KeyboardFilter } from './keyboard-filter.ts';

/** What readline gets when these chunks come from the keyboard. */
function through(...chunks: string[]): string {
  const filter = new KeyboardFilter({ setRawMode: () => undefined as never });
  let got = '';
  filter.on('data', (data: Buffer) => {
    got += data.toString();
  });
  for (const chunk of chunks) filter.write(chunk);
  return got;
}

describe('what is typed', () => {
  it('comes through as it is: letters, Enter, arrows, Ctrl-C', () => {
    const keys = 'hé\r\u001b[A\u0003\t';
    expect(through(keys)).toBe(keys);
  });

  it('does not wait for more after Escape', () => {
    expect(through('\u001b')).toBe('\u001b');
    expect(through('\u001b[')).toBe('\u001b[');
  });

  it('begins a new line with Alt-Enter', () => {
    expect(asTyped(through('one\u001b\rtwo'))).toBe('one\ntwo');
  });

  it('is not suspended by Ctrl-Z', () => {
    expect(through('a\u001ab')).toBe('ab');
  });
});

describe('what is pasted', () => {
  const pasted = 'first\r\n\tsecond\rthird';

  it('stays one line for readline, and comes back as it was', () => {
    const got = through(`\u001b[200~${pasted}\u001b[201~`);
    expect(got).not.toMatch(/[\r\n\t]/);
    expect(asTyped(got)).toBe('first\n\tsecond\nthird');
  });

  it('is the same wherever the terminal cuts it', () => {
    const whole = `a\u001b[200~${pasted}\u001b[201~\r`;
    const expected = through(whole);
    for (let cut = 4; cut < whole.length; cut++)
      expect(through(whole.slice(0, cut), whole.slice(cut)), `cut at ${cut}`).toBe(expected);
  });

  it('presses no keys', () => {
    expect(through('\u001b[200~a\u0003b\u001b[Ac\u0004\u001b[201~')).toBe('ab[Ac');
  });

  it('is over at its end: Enter sends', () => {
    expect(through('\u001b[200~a\nb\u001b[201~\r')).toMatch(/\r$/);
  });
});
