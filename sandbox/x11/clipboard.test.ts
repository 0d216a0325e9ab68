import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { hasXvfb, startTestXServer } from '../testing/x-server.ts';
import { ClipboardTooLargeError, clipboardBytesAtMost, openClipboard } from './clipboard.ts';
import { connectX } from './connect.ts';

const hasXclip = spawnSync('xclip', ['-version']).error === undefined;
const long = 'Zeile für Zeile 世界 🙂\n'.repeat(20_000);

describe.skipIf(!hasXvfb || !hasXclip)('the clipboard (needs Xvfb and xclip)', () => {
  it('gives what a person has copied to programs, short or long', async () => {
    await using desk = await openDesk();

    for (const text of ['héllo 世界 🙂\n', long]) {
      await desk.clipboard.offer(text);
      expect(await desk.paste('clipboard')).toBe(text);
      expect(await desk.paste('primary')).toBe(text);
    }
    expect(desk.clipboard.text).toBe(long);
  });

  it('tells what was copied inside, short or long, and not what was offered', async () => {
    await using desk = await openDesk();

    await desk.copy('first 世界');
    await expect.poll(() => desk.copied).toEqual(['first 世界']);
    await desk.clipboard.offer('from outside');
    await desk.copy(long);
    await expect.poll(() => desk.copied.length).toBe(2);

    expect(desk.copied[1]).toBe(long);
    expect(desk.clipboard.text).toBe(long);
  });

  it('carries 1 MiB exactly, and leaves more alone, both ways', async () => {
    await using desk = await openDesk();
    const most = 'x'.repeat(clipboardBytesAtMost);

    await desk.copy(most);
    await expect.poll(() => desk.copied.length).toBe(1);
    await desk.copy(`${most}y`);
    await desk.copy('after it');
    await expect.poll(() => desk.copied.length).toBe(2);
    expect(desk.copied[0]).toBe(most);
    expect(desk.copied[1]).toBe('after it');

    await desk.clipboard.offer(most);
    expect(await desk.paste('clipboard')).toBe(most);
    await expect(desk.clipboard.offer(`${most}y`)).rejects.toThrow(ClipboardTooLargeError);
  });

  it('tells targets as a program asks for them, and refuses what is no text', async () => {
    await using desk = await openDesk();
    await desk.clipboard.offer('plain');

    const targets = await desk.paste('clipboard', 'TARGETS');

    expect(targets.split('\n')).toEqual(expect.arrayContaining(['TARGETS', 'UTF8_STRING', 'STRING', 'TIMESTAMP']));
    await expect(desk.paste('clipboard', 'image/png')).rejects.toThrow(/not available/);
  });

  it('is not held up by a program that asks and goes away', async () => {
    await using desk = await openDesk();
    await desk.clipboard.offer(long);
    const gone = spawn('xclip', ['-selection', 'clipboard', '-o'], {
      env: desk.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(gone.stdout, 'data');
    gone.kill('SIGKILL');
    await once(gone, 'exit');

    expect(await desk.paste('clipboard')).toBe(long);
  });
});

async function openDesk() {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startTestXServer({ width: 320, height: 240 }));
  const x = stack.use(await connectX(server.display));
  const errors: unknown[] = [];
  const clipboard = await openClipboard(x, (error) => errors.push(error));
  stack.defer(() => clipboard.close());
  const copied: string[] = [];
  clipboard.onCopied((text) => copied.push(text));

  return {
    clipboard,
    copied,
    env: server.env,
    /** As a program does that copies. It keeps its text until another copies. */
    copy: async (text: string) => {
      const program = spawn('xclip', ['-selection', 'clipboard', '-quiet', '-in'], {
        env: server.env,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      stack.defer(() => {
        program.kill();
      });
      const owned = new Promise<void>((resolve) => {
        const stop = x.onEvent((event) => {
          if (event.name !== 'SelectionNotify' || event.subtype === undefined) return;
          stop();
          resolve();
        });
      });
      program.stdin.end(text);
      await owned;
    },
    paste: async (selection: string, target = 'UTF8_STRING') => {
      const program = spawn('xclip', ['-selection', selection, '-o', '-target', target], { env: server.env });
      const chunks: Buffer[] = [];
      let said = '';
      program.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      program.stderr.on('data', (chunk: Buffer) => {
        said += chunk;
      });
      const [code] = await once(program, 'close');
      if (code !== 0) throw new Error(said);
      return Buffer.concat(chunks).toString('utf8');
    },
    [Symbol.asyncDispose]: async () => {
      await stack.disposeAsync();
      expect(errors).toEqual([]);
    },
  };
}
