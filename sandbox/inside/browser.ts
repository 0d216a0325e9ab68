import { execFile, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { preferWhenMemoryIsShort } from './run-command.ts';

const execute = promisify(execFile);

/** A browser that has not ended by then runs: it was started, or has handed the address to the one that runs. */
const startsWithinMs = 1500;

/**
 * Clears what a browser that was killed left in the home: by the same host name and a process id that is somebody else's now, the next
 * one would take it for running and refuse to start.
 */
export async function forgetOldBrowser(home: string): Promise<void> {
  const profile = join(home, '.config', 'chromium');
  for (const name of ['SingletonLock', 'SingletonSocket', 'SingletonCookie'])
    await rm(join(profile, name), { force: true }).catch((error) => {
      // Somebody has shut the folder of the settings: the browser may fail by it, the Desktop does not.
      if (error.code !== 'EACCES') throw error;
    });
}

/**
 * How Chromium is to be started here. Its own sandbox, which keeps a page out of the home, needs user namespaces; where this sandbox
 * does not give any (containers), only ours is left.
 */
export async function browserFlags(): Promise<string> {
  try {
    await execute('unshare', ['--user', '--map-current-user', 'true']);
    return '';
  } catch {
    return '--no-sandbox --test-type';
  }
}

/**
 * Opens an address in the browser that runs, or starts it.
 *
 * @throws Error with what it wrote when it ends at once
 */
export async function openInBrowser(url: string, folder: string): Promise<void> {
  if (!/^https?:\/\//i.test(url)) throw new Error('only http and https addresses can be opened');
  const browser = spawn('chromium', ['--', url], { cwd: folder, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  browser.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000);
  });
  await new Promise<void>((resolve, reject) => {
    const runs = setTimeout(resolve, startsWithinMs);
    browser.once('spawn', () => preferWhenMemoryIsShort(browser.pid));
    browser.once('error', (error) => {
      clearTimeout(runs);
      reject(new Error(`no browser can be started here: ${error.message}`, { cause: error }));
    });
    browser.once('exit', (code) => {
      clearTimeout(runs);
      if (code === 0) resolve();
      else reject(new Error(`the browser has ended: ${said.trim()}`));
    });
  });
}
