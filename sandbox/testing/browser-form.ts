import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether Chromium is installed: tests that need a browser in a test's screen skip otherwise. */
export const hasChromium = spawnSync('chromium', ['--version']).error === undefined;

/** A page with one large field in a Chromium on a test's screen. It says what is in the field when that changes. */
export interface BrowserForm extends AsyncDisposable {
  /** Waits until the field has this in it, or nothing more changes; answers what is in it, and empties it. */
  take(expected: string): Promise<string>;
}

/** A browser on a busy machine stands still for a while. */
const quietMs = 10_000;

const page = `<!doctype html><meta charset="utf-8"><body style="margin:0">
<textarea style="width:100vw;height:100vh;box-sizing:border-box" autofocus></textarea>
<script>
const field = document.querySelector('textarea');
let said;
setInterval(async () => {
  if (field.value === said) return;
  said = field.value;
  await fetch('/value', { method: 'POST', body: said });
}, 30);
setInterval(async () => {
  if ((await (await fetch('/wanted')).text()) === 'empty') field.value = '';
}, 100);
</script>`;

/** Opens it over the whole screen. Resolves when the page is there. */
export async function openBrowserForm(env: NodeJS.ProcessEnv): Promise<BrowserForm> {
  const profile = await mkdtemp(join(tmpdir(), 'test-browser-'));
  let value: string | undefined;
  let shouldEmpty = false;
  const server = createServer(async (request, response) => {
    if (request.url === '/value') {
      value = (await request.toArray()).join('');
      response.end('ok');
    } else if (request.url === '/wanted') {
      response.end(shouldEmpty ? 'empty' : 'keep');
    } else {
      response.setHeader('content-type', 'text/html').end(page);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  const options = ['--no-sandbox', '--no-first-run', '--disable-gpu', '--kiosk', `--user-data-dir=${profile}`, url];
  const browser = spawn('chromium', options, { env, stdio: 'ignore', detached: true });
  while (value === undefined) {
    if (browser.exitCode !== null) throw new Error(`Chromium ended with ${browser.exitCode}`);
    await sleep(50);
  }

  return {
    take: async (expected) => {
      let seen = value;
      let since = performance.now();
      while (value !== expected && performance.now() - since < quietMs) {
        await sleep(20);
        if (value !== seen) since = performance.now();
        seen = value;
      }
      const taken = value ?? '';
      shouldEmpty = true;
      while (value !== '') await sleep(20);
      shouldEmpty = false;
      return taken;
    },
    [Symbol.asyncDispose]: async () => {
      await endAll(browser);
      server.closeAllConnections();
      server.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** Its children, too: they are a group of their own. */
async function endAll(browser: ChildProcess): Promise<void> {
  const ended = once(browser, 'exit');
  if (browser.pid !== undefined && browser.exitCode === null) {
    process.kill(-browser.pid, 'SIGKILL');
    await ended;
  }
}
