#!/usr/bin/env node
/**
 * Starts Switchboard with nothing but git, npm and any Node from 20 on: installs what package-lock.json names, then hands over to
 * the Node that is pinned there. Plain JavaScript, since the machine's own Node may not read TypeScript.
 *
 *   node launch.mjs start | chat        the core, the terminal door
 *   node launch.mjs host [doctor|encode] a sandbox host; what this machine can do as one; an encoder for other hosts
 *   node launch.mjs test [vitest args]  type check, lint and tests; with arguments only those tests
 *   node launch.mjs check               type check and lint
 *   node launch.mjs e2e <name> [args]   a whole-system run: e2e/commands/<name>.ts
 *   node launch.mjs bench <name> [args] a benchmark: bench/commands/<name>.ts
 *   node launch.mjs <anything else>     the command line (`npx switchboard …`); only the value goes to stdout
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { installSystemPackages } from './sandbox/system-packages.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const modules = join(root, 'node_modules');
const marker = join(modules, '.switchboard-installed');
const unfinished = join(modules, '.switchboard-installing');
const windows = process.platform === 'win32';
const pinnedNode = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');
const terminal = [0, 1, 2].some((fd) => isatty(fd));

/** The one process that runs now, the first signal that we were sent, and when one was last passed on. */
let running;
let interrupted;
let passedOn = 0;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    interrupted ??= signal;
    // a terminal sends Ctrl-C and its own end to the child as well
    if (terminal && signal !== 'SIGTERM') return;
    // so may whoever signals a group of processes, and npm repeats it; a second one after a while means "at once"
    if (Date.now() - passedOn < 1000) return;
    passedOn = Date.now();
    running?.kill(signal);
  });

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  console.error(`switchboard: ${error.message}`);
  return 1;
});

async function main([command, ...rest]) {
  await install(['test', 'check', 'e2e', 'bench'].includes(command));
  linkCommand();
  if (['start', 'host', 'test', 'e2e', 'bench'].includes(command)) await systemPackages();
  if (command === 'test') return test(rest);
  if (command === 'check') return report(await checks());
  if (command === 'e2e' || command === 'bench') return run(programOf(command, rest[0]), rest.slice(1));
  if (command === 'chat') return run('bots/terminal/chat.ts', rest);
  if (command === 'host') return run('sandbox/index.ts', rest);
  return run('main.ts', command === undefined ? [] : [command, ...rest]);
}

function programOf(folder, name) {
  const known = fs.readdirSync(join(root, folder, 'commands')).filter((file) => /^[\w-]+\.ts$/.test(file));
  if (known.includes(`${name}.ts`)) return `${folder}/commands/${name}.ts`;
  throw new Error(
    `unknown run "${name ?? ''}" (valid: ${known.map((file) => `"${basename(file, '.ts')}"`).join(', ')})`,
  );
}

/** Runs a program of ours with the pinned Node and answers with the exit code that a shell would give. */
function run(program, args, { env = {}, output = 'inherit' } = {}) {
  const path = [dirname(pinnedNode), join(modules, '.bin'), process.env.PATH].join(delimiter);
  return finished(
    spawn(pinnedNode, [join(root, program), ...args], {
      // relative settings such as DATA_DIR mean the same whichever folder this is called from; that one is INIT_CWD
      cwd: root,
      env: { ...process.env, PATH: path, INIT_CWD: process.env.INIT_CWD ?? process.cwd(), ...env },
      stdio: ['inherit', output, 'inherit'],
    }),
  );
}

function finished(child) {
  running = child;
  if (interrupted) child.kill(interrupted);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      running = undefined;
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

// ---------------------------------------------------------------------------------------------------------------- tests

async function test(args) {
  const counts = args.length > 0 ? { passed: 0, failed: 0, skipped: 0 } : await checks();
  if (interrupted) return report(counts);
  const folder = fs.mkdtempSync(join(tmpdir(), 'switchboard-counts-'));
  const file = join(folder, 'counts.json');
  try {
    const code = await run('node_modules/vitest/vitest.mjs', ['run', ...args], {
      env: { SWITCHBOARD_TEST_COUNTS: file },
    });
    const tests = readJson(file) ?? { passed: 0, failed: 0, skipped: 0 };
    // vitest crashed, or found no test
    if (code !== 0 && tests.failed === 0) tests.failed = 1;
    for (const outcome of ['passed', 'failed', 'skipped']) counts[outcome] += tests[outcome];
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return report(counts);
}

/** The type checks (the viewer's pages have the browser's types, the rest Node's) and the lint, counted as one test each. */
async function checks() {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, program, args] of [
    ['tsc --noEmit', 'node_modules/typescript/bin/tsc', ['--noEmit']],
    ['tsc --noEmit -p stream-viewer', 'node_modules/typescript/bin/tsc', ['--noEmit', '-p', 'stream-viewer']],
    ['biome check', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings']],
  ]) {
    if (interrupted) break;
    const passed = (await run(program, args)) === 0;
    counts[passed ? 'passed' : 'failed']++;
    console.log(`${passed ? 'passed' : 'FAILED'}: ${name}`);
  }
  return counts;
}

/** The last line of all output, whatever came before. */
function report({ passed, failed, skipped }) {
  if (interrupted) failed++;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

// --------------------------------------------------------------------------------------------------------- installation

/**
 * Installs what package-lock.json names, unless it is there: by us (the marker says so) or by hand. By `npm install` and not by
 * `npm ci`: that sweeps away what a running core uses, and refuses a lockfile that lacks an optional package of another platform,
 * which is what npm writes where a registry did not have it.
 */
async function install(dev) {
  if (isInstalled(dev)) return;
  await underInstallLock(async () => {
    if (isInstalled(dev)) return;
    console.error(`Installing${isInstalled(false) ? ' the test tools' : ''} (once, about 20 s) …`);
    if (fs.existsSync(unfinished) || !fs.existsSync(join(modules, '.package-lock.json'))) emptyModules();
    fs.mkdirSync(modules, { recursive: true });
    fs.writeFileSync(unfinished, '');
    const kinds = dev ? '--include=dev' : '--omit=dev';
    const code = await npm([
      'install',
      '--no-save',
      kinds,
      '--prefer-offline',
      '--no-fund',
      '--no-audit',
      '--loglevel=error',
    ]);
    if (interrupted) throw new Error('interrupted while installing');
    if (code !== 0) throw new Error('npm could not install the dependencies (see above): mend that and start again');
    if (!fs.existsSync(pinnedNode))
      throw new Error('npm left out the install scripts, so Node is missing: run `npm install --ignore-scripts=false`');
    fs.rmSync(unfinished);
    mark(dev);
    console.error('Installed.');
  });
}

/** What Desktops need of the system: installed where we may, and named otherwise. */
async function systemPackages() {
  const program = (name, args, env) =>
    finished(spawn(name, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 2] }));
  await installSystemPackages(program, join(modules, '.switchboard-system-packages'), console.error);
}

/** After an installation that was killed, npm would take a half-unpacked package for a whole one. */
function emptyModules() {
  if (!fs.existsSync(modules)) return;
  for (const name of fs.readdirSync(modules)) fs.rmSync(join(modules, name), { recursive: true, force: true });
}

function isInstalled(dev) {
  if (!fs.existsSync(pinnedNode) || fs.existsSync(unfinished)) return false;
  const known = readJson(marker);
  if (known?.lock === lockHash() && (known.dev || !dev)) return true;
  if (!isInstalledByHand(dev)) return false;
  mark(dev);
  return true;
}

/** `npm ci` and `npm install` leave a list of what they installed. */
function isInstalledByHand(dev) {
  const there = readJson(join(modules, '.package-lock.json'))?.packages;
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  if (!there) return false;
  return Object.entries(wanted).every(([path, { version, dev: forDev, devOptional, optional }]) => {
    if (path === '' || ((forDev || devOptional) && !dev)) return true;
    if (!there[path]) return optional === true || devOptional === true;
    return there[path].version === version && fs.existsSync(join(root, path));
  });
}

function mark(dev) {
  try {
    fs.writeFileSync(marker, JSON.stringify({ lock: lockHash(), dev }));
  } catch {
    // somebody else's installation: it is looked through again next time
  }
}

function lockHash() {
  return createHash('sha256')
    .update(fs.readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** The npm that called us, else the one on the path. What it prints goes to stderr: stdout is for values. */
function npm(args) {
  const own = process.env.npm_execpath;
  const [program, first] = basename(own ?? '') === 'npm-cli.js' ? [process.execPath, [own]] : ['npm', []];
  return finished(
    spawn(program, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2], shell: windows && program === 'npm' }),
  );
}

/** One installation at a time. The holder touches the lock file, so one that was killed is known by the file's age. */
async function underInstallLock(work) {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const file = join(tmpdir(), `switchboard-install-${process.getuid?.() ?? ''}-${name}.lock`);
  for (let waited = 0; !createLock(file); waited++) {
    if (interrupted) throw new Error('interrupted');
    if (waited === 0) console.error('Waiting for another start in this folder to finish installing …');
    if (age(file) > 10_000) takeAway(file);
    await sleep(200);
  }
  const beat = setInterval(() => fs.utimesSync(file, new Date(), new Date()), 2000);
  try {
    await work();
  } finally {
    clearInterval(beat);
    fs.rmSync(file, { force: true });
  }
}

function createLock(file) {
  try {
    fs.closeSync(fs.openSync(file, 'wx', 0o600));
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes an abandoned lock, but not the new one of somebody who removed it a moment earlier. */
function takeAway(file) {
  const aside = `${file}.${process.pid}`;
  try {
    fs.renameSync(file, aside);
    if (age(aside) < 10_000) fs.linkSync(aside, file);
    fs.rmSync(aside);
  } catch {
    // somebody was quicker
  }
}

function age(file) {
  return Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

/** Lets `npx switchboard` find this file at once: npx would install the folder into its cache first. */
function linkCommand() {
  const link = join(modules, '.bin', windows ? 'switchboard.cmd' : 'switchboard');
  if (fs.existsSync(link)) return;
  try {
    fs.mkdirSync(dirname(link), { recursive: true });
    if (windows) fs.writeFileSync(link, '@node "%~dp0..\\..\\launch.mjs" %*\r\n');
    else fs.symlinkSync('../../launch.mjs', link);
  } catch {
    // only a convenience
  }
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
