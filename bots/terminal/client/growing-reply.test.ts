import { describe, expect, it } from 'vitest';
import { GrowingReply } from './growing-reply.ts';

/** Shows a reply in so many rows as it grows through these texts, then finishes it: what stays on the screen. */
function grow(
  texts: string[],
  finished: string,
  { columns = 20, rows = 4 } = {},
): { printed: string; shown: string[][] } {
  const reply = new GrowingReply('Ada');
  let printed = '';
  const shown = texts.map((text) => {
    const { print, rows: live } = reply.layOut(text, columns, rows);
    printed += print;
    expect(live.length).toBeLessThanOrEqual(rows);
    return live;
  });
  return { printed: printed + reply.finish(finished), shown };
}

const lines = (n: number, from = 1) => Array.from({ length: n }, (_, i) => `line ${from + i}`).join('\n');

describe('a growing reply', () => {
  it('is shown in place while it fits, and printed once', () => {
    const { shown, printed } = grow(['Hel', 'Hello', 'Hello.'], 'Hello.');
    expect(shown).toEqual([['Ada> Hel'], ['Ada> Hello'], ['Ada> Hello.']]);
    expect(printed).toBe('Ada> Hello.\n');
  });

  it('may change and shrink while it is in place', () => {
    const { shown, printed } = grow(['Looking it up …', 'It is', ''], 'It is 4411.');
    expect(shown).toEqual([['Ada> Looking it up …'], ['Ada> It is'], ['Ada> ']]);
    expect(printed).toBe('Ada> It is 4411.\n');
  });

  it('prints by and by what is too long for the screen, each line once', () => {
    const texts = Array.from({ length: 12 }, (_, i) => lines(i + 1));
    const { shown, printed } = grow(texts, lines(12));
    expect(printed).toBe(`Ada> ${lines(12)}\n`);
    expect(shown.at(-1)).toEqual(['line 9', 'line 10', 'line 11', 'line 12']);
  });

  it('prints a line that is longer than the screen in pieces, and loses nothing', () => {
    const long = Array.from({ length: 300 }, (_, i) => String(i % 10)).join('');
    const texts = Array.from({ length: 300 }, (_, i) => long.slice(0, i + 1));
    const { printed } = grow(texts, long);
    expect(printed.replaceAll('\n', '')).toBe(`Ada> ${long}`);
  });

  it('prints nothing again when its end was trimmed', () => {
    const { printed } = grow([`${lines(8)}\n\n\n\n`], lines(8));
    expect(printed.trimEnd()).toBe(`Ada> ${lines(8)}`);
  });

  it('begins again when what was printed has changed', () => {
    const { printed } = grow([lines(8), `other\n${lines(1)}`], 'other');
    expect(printed).toContain('(Ada begins again)\nAda> other\n');
    expect(printed.startsWith('Ada> line 1\n')).toBe(true);
  });

  it('begins again when it ends otherwise than it was printed', () => {
    const { printed } = grow([lines(8)], 'something else');
    expect(printed.endsWith('(Ada begins again)\nAda> something else\n')).toBe(true);
  });

  it('says whose it is after something else was printed in its midst', () => {
    const reply = new GrowingReply('Ada');
    reply.layOut(lines(8), 40, 4);
    reply.interrupt();
    expect(reply.layOut(lines(8), 40, 4).rows[0]).toBe('Ada (goes on)> line 5');
    expect(reply.finish(lines(8))).toBe(`Ada (goes on)> ${lines(4, 5)}\n`);
  });

  it('needs no such word while nothing of it is printed', () => {
    const reply = new GrowingReply('Ada');
    reply.layOut('short', 20, 4);
    reply.interrupt();
    expect(reply.finish('short')).toBe('Ada> short\n');
  });
});
