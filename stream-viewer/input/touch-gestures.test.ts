import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Point } from '../picture/viewport.ts';
import { TouchGestures } from './touch-gestures.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const p = (x: number, y: number): Point => ({ x, y });

function fingers(options: { pans?: boolean } = {}) {
  const heard: [string, ...unknown[]][] = [];
  const tell =
    (name: string) =>
    (...details: unknown[]): void => {
      heard.push([name, ...details]);
    };
  const gestures = new TouchGestures({
    tap: tell('tap'),
    longPress: tell('longPress'),
    longPressEnd: tell('longPressEnd'),
    dragStart: tell('dragStart'),
    drag: tell('drag'),
    dragEnd: tell('dragEnd'),
    pan: tell('pan'),
    scroll: tell('scroll'),
    pinch: tell('pinch'),
    pans: () => options.pans ?? false,
  });
  return { gestures, heard, names: () => heard.map(([name]) => name) };
}

describe('one finger', () => {
  it('taps, though it trembles', () => {
    const { gestures, heard } = fingers();
    gestures.down(1, p(50, 50));
    gestures.move(1, p(53, 54));
    gestures.up(1);
    expect(heard).toEqual([['tap', p(50, 50)]]);
  });

  it('taps the same place twice when the second tap is close by', () => {
    const { gestures, heard } = fingers();
    for (const at of [p(50, 50), p(60, 44)]) {
      gestures.down(1, at);
      gestures.up(1);
      vi.advanceTimersByTime(150);
    }
    expect(heard).toEqual([
      ['tap', p(50, 50)],
      ['tap', p(50, 50)],
    ]);
  });

  it('means the second button when it has rested', () => {
    const { gestures, names } = fingers();
    gestures.down(1, p(50, 50));
    vi.advanceTimersByTime(500);
    gestures.up(1);
    expect(names()).toEqual(['longPress', 'longPressEnd']);
  });

  it('drags from where it began', () => {
    const { gestures, heard } = fingers();
    gestures.down(1, p(50, 50));
    gestures.move(1, p(80, 50));
    gestures.up(1);
    expect(heard).toEqual([['dragStart', p(50, 50)], ['drag', p(80, 50)], ['dragEnd']]);
  });

  it('moves an enlarged picture about, and drags in it after a rest', () => {
    const { gestures, heard, names } = fingers({ pans: true });
    gestures.down(1, p(50, 50));
    gestures.move(1, p(80, 50));
    gestures.up(1);
    expect(heard).toEqual([['pan', 30, 0]]);
    heard.length = 0;
    gestures.down(1, p(50, 50));
    vi.advanceTimersByTime(500);
    gestures.move(1, p(80, 50));
    gestures.up(1);
    expect(names()).toEqual(['longPress', 'dragStart', 'drag', 'dragEnd']);
  });
});

describe('two fingers', () => {
  it('scroll: the content follows them', () => {
    const { gestures, heard } = fingers();
    gestures.down(1, p(50, 100));
    gestures.down(2, p(90, 100));
    gestures.move(1, p(50, 60));
    gestures.move(2, p(90, 60));
    gestures.up(1);
    gestures.up(2);
    const turned = heard.reduce((sum, [name, , dy]) => (name === 'scroll' ? sum + Number(dy) : sum), 0);
    expect(turned).toBe(40);
    expect(heard.every(([name]) => name === 'scroll')).toBe(true);
  });

  it('pinch by as much as they part', () => {
    const { gestures, heard } = fingers();
    gestures.down(1, p(100, 100));
    gestures.down(2, p(140, 100));
    gestures.move(2, p(180, 100));
    gestures.move(1, p(60, 100));
    const factor = heard.reduce((all, [name, by]) => (name === 'pinch' ? all * Number(by) : all), 1);
    expect(factor).toBeCloseTo(3);
  });

  it('leave no tap behind, in whichever order they are lifted', () => {
    const { gestures, names } = fingers();
    gestures.down(1, p(50, 50));
    gestures.down(2, p(90, 50));
    gestures.up(1);
    gestures.up(2);
    vi.advanceTimersByTime(1000);
    expect(names()).toEqual([]);
  });

  it('end a drag that one of them had begun', () => {
    const { gestures, names } = fingers();
    gestures.down(1, p(50, 50));
    gestures.move(1, p(80, 50));
    gestures.down(2, p(120, 50));
    expect(names()).toEqual(['dragStart', 'drag', 'dragEnd']);
  });
});
