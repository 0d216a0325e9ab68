import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';

/** Where a Chromium is on this machine, or undefined: `apt-get install -y chromium` brings one. */
export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

/** Without a display, a sandbox of its own (this may run as root) or a network. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless Chromium with a profile of its own; disposing of it leaves nothing behind. */
export type Browser = AsyncDisposable & { context: BrowserContext };

/** A phone in a person's hand, upright. */
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

/** Opens a headless Chromium. Throws an Error that says how to install it when there is none. */
export async function openChromium(look: Partial<typeof phone> & Pick<typeof phone, 'viewport'>): Promise<Browser> {
  if (!chromiumPath) throw new Error('there is no Chromium here: apt-get install -y chromium');
  const profile = await mkdtemp(join(tmpdir(), 'switchboard-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    args: flags,
    ...look,
  });
  return {
    context,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
