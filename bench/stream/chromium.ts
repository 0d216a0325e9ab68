import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { z } from 'zod';

/*
 * A headless Chromium spoken to by the DevTools protocol itself. Playwright would copy every WebSocket frame of the page to its driver,
 * which makes latencies during motion four times as long; here the Network domain stays off.
 */

/** A tab. */
export interface Page {
  /** Returns when the navigation has begun. */
  navigate(url: string): Promise<void>;
  /** The value of an expression, or of its promise. Throws an Error with what the page threw. */
  evaluate(expression: string): Promise<unknown>;
  /** Is run in every document from now on, before its own scripts. */
  runFirst(script: string): Promise<void>;
  /** Makes it the tab that is seen: others make no frames. */
  bringToFront(): Promise<void>;
  /** A PNG of what it shows. */
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
}

export interface Chromium extends AsyncDisposable {
  readonly version: string;
  /** The browser's process; its renderers are its descendants. */
  readonly pid: number;
  newPage(): Promise<Page>;
}

const flags = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--hide-scrollbars',
  '--mute-audio',
  '--remote-debugging-port=0',
];

const reply = z.object({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const evaluated = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z
    .object({ text: z.string(), exception: z.object({ description: z.string().optional() }).optional() })
    .optional(),
});

/** Starts a Chromium whose tabs are as large as the screens. Throws an Error when there is none on the PATH. */
export async function startChromium(size: { width: number; height: number }): Promise<Chromium> {
  const profile = await mkdtemp(join(tmpdir(), 'switchboard-bench-chromium-'));
  const child = spawn(
    'chromium',
    [...flags, `--window-size=${size.width},${size.height}`, `--user-data-dir=${profile}`],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = once(child, 'exit');
  const socket = new WebSocket(await devToolsAddress(child), { perMessageDeflate: false, maxPayload: 2 ** 28 });
  await once(socket, 'open');

  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  socket.on('message', (data) => {
    const message = reply.parse(JSON.parse(String(data)));
    const asker = message.id === undefined ? undefined : waiting.get(message.id);
    if (message.id === undefined || !asker) return;
    waiting.delete(message.id);
    if (message.error) asker.reject(new Error(`Chromium: ${message.error.message}`));
    else asker.resolve(message.result);
  });
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('Chromium has ended'));
    waiting.clear();
  });
  function send(method: string, params: object = {}, sessionId?: string): Promise<unknown> {
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    });
  }

  async function newPage(): Promise<Page> {
    const { targetId } = z
      .object({ targetId: z.string() })
      .parse(await send('Target.createTarget', { url: 'about:blank' }));
    const { sessionId } = z
      .object({ sessionId: z.string() })
      .parse(await send('Target.attachToTarget', { targetId, flatten: true }));
    await send('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false }, sessionId);
    await send('Page.enable', {}, sessionId);
    return {
      async navigate(url) {
        const { errorText } = z
          .object({ errorText: z.string().optional() })
          .parse(await send('Page.navigate', { url }, sessionId));
        if (errorText) throw new Error(`Chromium could not open ${new URL(url).origin}: ${errorText}`);
      },
      async evaluate(expression) {
        const answer = evaluated.parse(
          await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId),
        );
        const failure = answer.exceptionDetails;
        if (failure) throw new Error(`in the page: ${failure.exception?.description ?? failure.text}`);
        return answer.result.value;
      },
      async runFirst(source) {
        await send('Page.addScriptToEvaluateOnNewDocument', { source }, sessionId);
      },
      async bringToFront() {
        await send('Page.bringToFront', {}, sessionId);
      },
      async screenshot() {
        const { data } = z
          .object({ data: z.string() })
          .parse(await send('Page.captureScreenshot', { format: 'png' }, sessionId));
        return Buffer.from(data, 'base64');
      },
      async close() {
        await send('Target.closeTarget', { targetId });
      },
    };
  }

  const { product } = z.object({ product: z.string() }).parse(await send('Browser.getVersion'));
  return {
    version: product,
    pid: child.pid ?? 0,
    newPage,
    async [Symbol.asyncDispose]() {
      await send('Browser.close').catch(() => child.kill('SIGKILL'));
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function devToolsAddress(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error('Chromium was started without its stderr');
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  let said = '';
  const address = (async () => {
    for await (const line of createInterface({ input: child.stderr ?? ([] as never) })) {
      const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (found) return found;
      said += `${line}\n`;
    }
    throw new Error(`Chromium ended before it was ready:\n${said}`);
  })();
  const found = await Promise.race([address, failed]);
  // What it prints from now on is nobody's business, but its pipe must not fill up.
  child.stderr.resume();
  return found;
}
