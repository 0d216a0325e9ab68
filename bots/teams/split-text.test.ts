import { describe, expect, it } from 'vitest';
import { cutDraft, splitText } from './split-text.ts';

describe('a text that is too long for one message', () => {
  it('is cut between paragraphs, and nothing is lost', () => {
    const paragraphs = Array.from({ length: 40 }, (_, n) => `Paragraph ${n} ${'word '.repeat(10).trim()}.`);
    const pieces = splitText(paragraphs.join('\n\n'), 500);
    expect(pieces.length).toBeGreaterThan(4);
    expect(pieces.every((piece) => piece.length <= 500 && /\.$/.test(piece))).toBe(true);
    expect(pieces.join('\n\n')).toBe(paragraphs.join('\n\n'));
  });

  it('is cut at blanks where a paragraph is too long, and anywhere where a word is', () => {
    const words = splitText('word '.repeat(300), 500);
    expect(words.join(' ')).toBe('word '.repeat(300).trim());
    const word = '😀'.repeat(700);
    const pieces = splitText(word, 500);
    expect(pieces.join('')).toBe(word);
    expect(pieces.every((piece) => piece.length <= 500 && piece.isWellFormed())).toBe(true);
  });

  it('closes code at the end of a piece and opens it again in the next', () => {
    const lines = Array.from({ length: 60 }, (_, n) => `const line${n} = ${n};`);
    const pieces = splitText(`Look:\n\n\`\`\`ts\n${lines.join('\n')}\n\`\`\``, 500);
    expect(pieces.length).toBeGreaterThan(2);
    for (const piece of pieces) {
      expect(piece.match(/^```/gm)?.length).toBe(2);
      expect(piece.length).toBeLessThanOrEqual(500);
    }
    expect(pieces[1]).toMatch(/^```ts\nconst line/);
    for (const line of lines) expect(pieces.join('\n')).toContain(line);
  });

  it('is shown by its beginning while it grows', () => {
    expect(cutDraft('short')).toBe('short');
    const cut = cutDraft('word '.repeat(300), 500);
    expect(cut).toMatch(/word\n…$/);
    expect(cut.length).toBeLessThanOrEqual(500);
  });
});
