import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasXterm, openTestTerminal, type TestTerminal } from '../testing/terminal.ts';
import { hasXvfb, startTestXServer, type TestXServer } from '../testing/x-server.ts';
import { connectX, type XConnection } from '../x11/connect.ts';
import { openScreen } from '../x11/screen.ts';
import { createInput, type DesktopInput } from './create-input.ts';
import { readKeyboardMap } from './keyboard-map.ts';
import { keysym } from './keysyms.ts';

const hasSetxkbmap = spawnSync('setxkbmap', ['-version']).error === undefined;

const allSorts =
  'Hello, wörld! ÀÉÎ ñ ß € — “quotes” 你好世界 日本語 こんにちは 한국어 Привет ελληνικά עברית 😀🚀 (a+b)*{c}=~^`|\\ "x"';

describe.skipIf(!hasXvfb || !hasXterm)('typing into an xterm (needs Xvfb and xterm)', () => {
  const stack = new AsyncDisposableStack();
  let server: TestXServer;
  let x: XConnection;
  let input: DesktopInput;
  let terminal: TestTerminal;

  beforeAll(async () => {
    server = stack.use(await startTestXServer({ width: 1280, height: 720 }));
    x = stack.use(await connectX(server.display));
    input = await createInput(x, await openScreen(x));
    terminal = stack.use(await openTestTerminal(server.env));
    await input.apply({ type: 'pointer', x: 5000, y: 5000 });
  });

  afterAll(() => stack.disposeAsync());

  async function arrives(text: string): Promise<void> {
    await input.apply({ type: 'text', text });
    expect(await terminal.take(text)).toBe(text);
  }

  it('arrives exactly: letters with accents, Chinese, an emoji', () => arrives('héllo 世界 🙂'));

  it('arrives exactly: lines and tabs', () => arrives('one\ttwo\nthree\n\n\tfour'));

  it('takes a line end of Windows for one', async () => {
    await input.apply({ type: 'text', text: 'a\r\nb' });
    expect(await terminal.take('a\nb')).toBe('a\nb');
  });

  it('arrives exactly: more characters than there are free keycodes', async () => {
    await arrives(allSorts);
    await arrives(ideographs(200));
    await arrives('👩‍👩‍👧 é (e and an accent)');
  });

  it('arrives exactly: ten thousand characters at once', () => arrives('The quick brown fox. '.repeat(500)));

  it('keeps the order of texts and keys that come faster than they can be typed', async () => {
    const words = Array.from({ length: 40 }, (_, n) => `${n}é世${String.fromCodePoint(0x5000 + n)}`);
    const typed = words.flatMap((text) => [input.apply({ type: 'text', text }), ...tap(keysym.return)]);
    await Promise.all(typed);

    const expected = words.map((word) => `${word}\n`).join('');
    expect(await terminal.take(expected)).toBe(expected);
  });

  it('types keys of a viewer as the characters they are, whether it says Shift or not', async () => {
    for (const character of 'aA/?é世1!') await Promise.all(tap(character.codePointAt(0) ?? 0, character));
    await Promise.all([
      input.apply({ type: 'key', down: true, keysym: keysym.shiftLeft }),
      ...tap('B'.charCodeAt(0)),
      ...tap('/'.charCodeAt(0)),
      ...tap('C'.charCodeAt(0)),
      input.apply({ type: 'key', down: false, keysym: keysym.shiftLeft }),
      ...tap('d'.charCodeAt(0)),
    ]);

    expect(await terminal.take('aA/?é世1!B/Cd')).toBe('aA/?é世1!B/Cd');
  });

  it('repeats a key as often as the viewer says, and not by itself', async () => {
    const down = () => input.apply({ type: 'key', down: true, keysym: 0x78 });
    await down();
    await new Promise((resolve) => setTimeout(resolve, 900));
    await down();
    await down();
    await input.apply({ type: 'key', down: false, keysym: 0x78 });

    expect(await terminal.take('xxx')).toBe('xxx');
  });

  it('is not changed by Caps Lock', async () => {
    await input.act([{ do: 'key', keys: 'Caps_Lock' }]);
    await arrives('Caps Lock, é and E');
  });

  it('is not changed by keys that a person holds, and they are held again afterwards', async () => {
    await input.apply({ type: 'key', down: true, keysym: keysym.controlLeft });
    await input.apply({ type: 'text', text: 'plain' });
    await Promise.all(tap('a'.charCodeAt(0)));
    await input.apply({ type: 'key', down: false, keysym: keysym.controlLeft });

    expect(await terminal.take('plain\u0001')).toBe('plain\u0001');
  });

  it('presses what an agent names', async () => {
    await input.act([
      { do: 'type', text: 'ls -l' },
      { do: 'key', keys: 'Return' },
      { do: 'key', keys: 'ctrl+c' },
      { do: 'key', keys: 'shift+a' },
      { do: 'key', keys: 'Ctrl+D' },
      { do: 'key', keys: 'Up' },
      { do: 'key', keys: 'ctrl+?' },
    ]);

    expect(await terminal.take('ls -l\n\u0003A\u0004\u001b[A\u007f')).toBe('ls -l\n\u0003A\u0004\u001b[A\u007f');
  });

  it('is broken off when its signal says so', async () => {
    const taken = new AbortController();
    const done = input.act([{ do: 'type', text: ideographs(2000) }], taken.signal);
    setTimeout(() => taken.abort(new Error('taken over')), 200);

    await expect(done).rejects.toThrow('taken over');
    const typed = await terminal.take(ideographs(2000));
    expect(typed.length).toBeLessThan(500);
    expect(ideographs(2000).startsWith(typed)).toBe(true);
    await arrives('goes on');
  });

  it.skipIf(!hasSetxkbmap)('arrives exactly with every layout (needs setxkbmap)', async () => {
    for (const layout of [['de'], ['fr'], ['ru'], ['us', 'dvorak'], ['us,ru'], ['de', 'neo'], ['jp'], ['us']]) {
      const [name = '', variant] = layout;
      spawnSync('setxkbmap', [name, ...(variant ? ['-variant', variant] : [])], { env: server.env });
      await arrives(allSorts);
    }
  });

  it('leaves the keyboard as it was', async () => {
    const free = (await readKeyboardMap(x)).free.length;
    await using other = await connectX(server.display);
    const second = await createInput(other, await openScreen(other));
    await second.apply({ type: 'text', text: '甲乙丙' });
    await terminal.take('甲乙丙');

    await second.close();

    const map = await readKeyboardMap(x);
    expect(map.free.length).toBe(free);
    expect(map.find(0x01007532, 0)).toBeUndefined();
  });

  /** Down and up. */
  function tap(code: number, character?: string): Promise<void>[] {
    const point = character?.codePointAt(0) ?? code;
    const sent = point > 0xff && point < 0xff00 ? 0x01000000 + point : point;
    return [true, false].map((down) => input.apply({ type: 'key', down, keysym: sent }));
  }
});

/** So many different ones. */
function ideographs(count: number): string {
  return Array.from({ length: count }, (_, n) => String.fromCodePoint(0x4e00 + n)).join('');
}
