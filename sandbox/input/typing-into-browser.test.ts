import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrowserForm, hasChromium, openBrowserForm } from '../testing/browser-form.ts';
import { hasXvfb, startTestXServer } from '../testing/x-server.ts';
import { type Clipboard, openClipboard } from '../x11/clipboard.ts';
import { connectX } from '../x11/connect.ts';
import { openScreen } from '../x11/screen.ts';
import { createInput, type DesktopInput } from './create-input.ts';

const allSorts =
  'Hello, wörld! ÀÉÎ ñ ß € — “quotes” 你好世界 日本語 こんにちは 한국어 Привет ελληνικά עברית 😀🚀 (a+b)*{c}=~^`|\\ "x"';

describe.skipIf(!hasXvfb || !hasChromium)('typing into a browser (needs Xvfb and chromium)', () => {
  const stack = new AsyncDisposableStack();
  const errors: unknown[] = [];
  let input: DesktopInput;
  let clipboard: Clipboard;
  let form: BrowserForm;

  beforeAll(async () => {
    const server = stack.use(await startTestXServer({ width: 1000, height: 700 }));
    const x = stack.use(await connectX(server.display));
    clipboard = await openClipboard(x, (error) => errors.push(error));
    input = await createInput(x, await openScreen(x), clipboard);
    form = stack.use(await openBrowserForm(server.env));
    await input.act([{ do: 'click', x: 500, y: 350, button: 'left', count: 1 }]);
  }, 60_000);

  afterAll(async () => {
    await stack.disposeAsync();
    expect(errors).toEqual([]);
  });

  async function arrives(text: string): Promise<void> {
    await input.act([{ do: 'type', text }]);
    expect(await form.take(text)).toBe(text);
  }

  it('arrives exactly: more characters than there are free keycodes, again and again', async () => {
    for (let times = 0; times < 4; times++) await arrives(allSorts);
  });

  it('arrives exactly and at once when it is long, and the clipboard is what it was', async () => {
    const long = 'Zeile 世界 🙂\n'.repeat(1000);
    await clipboard.offer('mine');
    const from = performance.now();

    await arrives(long);

    console.info(`${long.length} characters by the clipboard: ${Math.round(performance.now() - from)} ms`);
    expect(clipboard.text).toBe('mine');
    await input.act([{ do: 'key', keys: 'ctrl+v' }]);
    expect(await form.take('mine')).toBe('mine');
  });

  it('takes shortcuts: select all, cut, paste', async () => {
    await input.act([
      { do: 'type', text: 'one two' },
      { do: 'key', keys: 'ctrl+a' },
      { do: 'key', keys: 'ctrl+x' },
      { do: 'type', text: '- ' },
      { do: 'key', keys: 'ctrl+v' },
    ]);

    expect(await form.take('- one two')).toBe('- one two');
    await expect.poll(() => clipboard.text).toBe('one two');
  });
});
