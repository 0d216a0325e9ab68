import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installCommand, installSystemPackages, missingPackages, missingSoundPackages } from './system-packages.mjs';

let folder: string;
let said: string[];
let ran: string[];
let before: NodeJS.ProcessEnv;

beforeEach(async () => {
  before = { ...process.env };
  folder = await mkdtemp(join(tmpdir(), 'packages-test-'));
  said = [];
  ran = [];
});
afterEach(async () => {
  process.env = before;
  await rm(folder, { recursive: true });
});

/** Installs with a stand-in for apt-get, which no test may run for real. */
async function install(exitCode: number): Promise<void> {
  const run = async (program: string, args: string[]) => {
    ran.push([program, ...args].join(' '));
    return exitCode;
  };
  await installSystemPackages(run, join(folder, 'marker'), (line) => said.push(line));
}

describe('system packages', () => {
  it('are named in one command', () => {
    expect(installCommand(['xvfb', 'xterm'])).toBe('sudo apt-get install --no-install-recommends -y xvfb xterm');
  });

  it.skipIf(process.platform !== 'linux')('that have their programs on the path are not missing', () => {
    const missing = missingPackages();
    process.env.PATH = '/nonexistent';
    expect(missingPackages()).toEqual(
      expect.arrayContaining([...missing, 'xvfb', 'openbox', 'bubblewrap', 'chromium']),
    );
  });

  it('for sound are named apart, since no start installs them', () => {
    process.env.PATH = '/nonexistent';
    expect(missingSoundPackages()).toEqual(['pulseaudio', 'pulseaudio-utils']);
    expect(missingPackages()).not.toContain('pulseaudio');
  });

  it('are left alone when that is wanted', async () => {
    process.env.PATH = '/nonexistent';
    process.env.SYSTEM_PACKAGES = 'off';
    await install(0);
    expect([ran, said]).toEqual([[], []]);
  });

  it.skipIf(process.platform !== 'linux')('are named where they cannot be installed, and nothing is run', async () => {
    process.env.PATH = '/nonexistent';
    delete process.env.SYSTEM_PACKAGES;
    await install(0);
    expect(ran).toEqual([]);
    expect(said.join()).toMatch(/sudo apt-get install --no-install-recommends -y xvfb/);
  });
});
