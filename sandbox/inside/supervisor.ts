/**
 * The first program inside a sandbox. It starts the screen, does what the host asks on stdin (messages.ts), and ends with the host.
 * It runs from this folder alone, with nothing but Node: the rest of Switchboard does not exist in there.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { browserFlags, forgetOldBrowser, openInBrowser } from './browser.ts';
import { readPart, writeWhole } from './files.ts';
import { forwardProxy, proxyEnvironment } from './forward-proxy.ts';
import type { SoundState, SupervisorMessage, SupervisorOptions, SupervisorRequest } from './messages.ts';
import { runCommand } from './run-command.ts';
import { type Screen, startScreen } from './screen.ts';
import { type Sound, startSound } from './sound.ts';

/** Programs that are asked to end (a browser writes its profile) have so long before they are killed. */
const goodbyeMs = 700;

const options = JSON.parse(process.argv[2] ?? '{}') as SupervisorOptions;
const running = new Map<number, AbortController>();
let screen: Screen | undefined;
let sound: Sound | undefined;
let ending = false;

function say(message: SupervisorMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function answer(request: Exclude<SupervisorRequest, { do: 'cancel' }>, signal: AbortSignal) {
  switch (request.do) {
    case 'run':
      return runCommand(request, options.home, signal);
    case 'open_url':
      await openInBrowser(request.url, options.home);
      return null;
    case 'read':
      return readPart(options.home, request.path, request.offset, request.bytes);
    case 'write':
      await writeWhole(options.home, request.path, Buffer.from(request.data, 'base64'));
      return null;
  }
}

async function handle(request: SupervisorRequest): Promise<void> {
  if (request.do === 'cancel') {
    running.get(request.of)?.abort();
    return;
  }
  const abort = new AbortController();
  running.set(request.id, abort);
  try {
    say({ type: 'done', id: request.id, result: await answer(request, abort.signal) });
  } catch (error) {
    say({ type: 'error', id: request.id, message: messageOf(error) });
  } finally {
    running.delete(request.id);
  }
}

async function end(reason?: string): Promise<void> {
  if (ending) return;
  ending = true;
  if (reason !== undefined) say({ type: 'ended', reason });
  for (const abort of running.values()) abort.abort();
  if (reason === undefined && options.ownsAllProcesses) await endOthers();
  screen?.stop();
  sound?.stop();
  process.exit(reason === undefined ? 0 : 1);
}

/** Asks everything that this user may signal to end: kill(2) leaves out this process itself and the first of the namespace. */
async function endOthers(): Promise<void> {
  const until = Date.now() + goodbyeMs;
  try {
    for (let signal: 'SIGTERM' | 0 = 'SIGTERM'; Date.now() < until; signal = 0) {
      process.kill(-1, signal);
      await sleep(20);
    }
  } catch (error) {
    // nobody is left
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A Desktop that cannot be heard is a Desktop all the same. */
async function beginSound(): Promise<SoundState> {
  if (options.sound === null) return { state: 'off' };
  try {
    sound = await startSound(options.sound);
    return { state: 'on' };
  } catch (error) {
    return { state: 'missing', why: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

process.on('SIGTERM', () => void end());
createInterface({ input: process.stdin })
  .on('line', (line) => void handle(JSON.parse(line) as SupervisorRequest))
  .on('close', () => void end());

try {
  Object.assign(process.env, { XAUTHORITY: options.authority, XENVIRONMENT: `${import.meta.dirname}/xresources` });
  if (options.proxySocket !== null) {
    Object.assign(process.env, proxyEnvironment(await forwardProxy(options.proxySocket)));
  }
  const [flags] = await Promise.all([browserFlags(), forgetOldBrowser(options.home)]);
  process.env.DESKTOP_CHROMIUM_FLAGS = flags;
  const [audible, shown] = await Promise.all([beginSound(), startScreen(options, options.authority)]);
  screen = shown;
  void screen.ended.then(end);
  say({ type: 'ready', display: screen.display, sound: audible });
} catch (error) {
  await end(messageOf(error));
}
