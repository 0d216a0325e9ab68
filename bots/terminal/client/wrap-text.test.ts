import { describe, expect, it } from 'vitest';
import { displayWidth, rowsBelow, wrapText } from './wrap-text.ts';

const texts = (text: string, columns: number) => wrapText(text, columns).map((row) => row.text);

describe('wrapping a text', () => {
  it('breaks at the edge and at line ends, and keeps empty lines', () => {
    expect(texts('abcdef\n\ngh', 4)).toEqual(['abcd', 'ef', '', 'gh']);
  });

  it('makes one row of a line that just fits, and of nothing', () => {
    expect(texts('abcd', 4)).toEqual(['abcd']);
    expect(texts('', 4)).toEqual(['']);
    expect(texts('abcd\n', 4)).toEqual(['abcd']);
  });

  it('counts two columns for wide characters and never cuts one', () => {
    expect(texts('日本語x', 5)).toEqual(['日本', '語x']);
    expect(texts('a🎉b', 2)).toEqual(['a', '🎉', 'b']);
  });

  it('keeps a grapheme of many code points together', () => {
    expect(texts('ab👩‍👩‍👧‍👦c', 4)).toEqual(['ab👩‍👩‍👧‍👦', 'c']);
    expect(displayWidth('e\u0301')).toBe(1);
  });

  it('makes spaces of tabs', () => {
    expect(texts('\ta', 10)).toEqual(['    a']);
  });

  it('says where each row ends in the text', () => {
    const text = 'ab\tcdef\n日本g';
    let from = 0;
    const parts = wrapText(text, 4).map((row) => {
      const part = text.slice(from, row.end);
      from = row.end;
      return part;
    });
    expect(parts.join('')).toBe(text);
    expect(wrapText(text, 4).map((row) => row.endsLine)).toEqual([false, false, true, false, false]);
  });
});

describe('the rows of a line that was typed', () => {
  it.each([
    ['', 10, 0],
    ['123456789', 10, 0],
    ['1234567890', 10, 1],
    ['123456789日', 10, 1],
    ['日本語日本語', 5, 2],
  ])('%j on %d columns ends %d rows below', (line, columns, rows) => {
    expect(rowsBelow(line, columns)).toBe(rows);
  });
});
