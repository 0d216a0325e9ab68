import { describe, expect, it } from 'vitest';
import { neutralise, neutraliseLine } from './neutralise.ts';

describe('a text that somebody else wrote', () => {
  it.each([
    ['clears the screen', '\u001b[2J', '␛[2J'],
    ['sets the title', '\u001b]0;owned\u0007', '␛]0;owned␇'],
    ['writes to the clipboard', '\u001b]52;c;b3duZWQ=\u001b\\', '␛]52;c;b3duZWQ=␛\\'],
    ['uses C1 for it', '\u009b2J\u009d0;x\u009c', '\ufffd2J\ufffd0;x\ufffd'],
    ['goes back over what stands there', 'safe\b\b\b\bevil', 'safe␈␈␈␈evil'],
    ['writes over its line', 'evil\rsafe', 'evil\nsafe'],
    ['runs right to left', 'user\u202egpj.exe', 'user\ufffdgpj.exe'],
    ['isolates', '\u2066a\u2069', '\ufffda\ufffd'],
    ['rings, deletes, ends', '\u0007\u007f\u0000', '␇␡␀'],
    ['hides words in tags', 'hi\u{e0068}\u{e0069}', 'hi\ufffd\ufffd'],
    ['is cut in the middle of a pair', 'x\ud83d', 'x\ufffd'],
  ])('shows that it %s, and does not do it', (_what, text, shown) => {
    expect(neutralise(text)).toBe(shown);
  });

  it('keeps every other character, line end and tab', () => {
    const text = 'Grüße, 日本語 עברית 👩‍👩‍👧 – a\tb\nc';
    expect(neutralise(text)).toBe(text);
  });

  it('has one kind of line end', () => {
    expect(neutralise('a\r\nb\rc\u2028d\u0085e')).toBe('a\nb\nc\nd\ne');
  });

  it('stays on its line where it is a name', () => {
    expect(neutraliseLine('Ada\n\nyou> rm -rf\tx')).toBe('Ada you> rm -rf x');
  });
});
