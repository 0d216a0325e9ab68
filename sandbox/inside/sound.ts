import { type ChildProcess, spawn } from 'node:child_process';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SoundSockets } from './messages.ts';

/** The sound server must be there within this time; on a busy machine that takes a second. */
const startWithinMs = 5000;
/** One that ends is not started again faster than this. */
const pauseMs = 1000;
/** What it wrote last is told with its end. */
const keptCharacters = 1000;
/** An empty sink sleeps after so long, in seconds, and takes no time then. */
const idleSeconds = 1;
const sink = 'desktop';
/** pulse-daemon.conf(5). Programs that ask which rate suits (Chromium) are told the one that is listened to, so that nothing is converted. */
const configuration = 'default-sample-rate = 48000\n';
/** The host is one; programs inside may listen, too, but not so often that this process runs out of files. */
const listenersAtMost = 8;
/** What whoever listens gets: 16 bit, little endian, left and right, 48,000 a second, in pieces of 20 ms (parec(1)). */
const listening = ['--raw', '--format=s16le', '--rate=48000', '--channels=2', '--latency-msec=20'];

/** A Desktop's sound at work. */
export interface Sound {
  stop(): void;
}

/**
 * Starts a PulseAudio of this Desktop's own: one sink that leads nowhere, and a socket for programs of this user. It sees no device, no
 * bus and no network. Sets `PULSE_SERVER` of this process, for all that it starts later.
 *
 * Whoever connects to the other socket hears what the sink plays. The host does, so that it need not speak PulseAudio's protocol with a
 * server that programs in here could replace: it reads samples and writes nothing.
 *
 * @throws Error when PulseAudio does not start; `PULSE_SERVER` is not set then
 */
export async function startSound(sockets: SoundSockets): Promise<Sound> {
  if (/\s/.test(sockets.server))
    throw new Error(`PulseAudio takes no socket with a space in its path (${sockets.server})`);
  process.env.PULSE_SERVER = `unix:${sockets.server}`;
  const state = join(dirname(sockets.server), 'pulse-state');
  const environment = {
    ...process.env,
    PULSE_RUNTIME_PATH: state,
    PULSE_STATE_PATH: state,
    PULSE_COOKIE: join(state, 'cookie'),
    PULSE_CONFIG: join(state, 'daemon.conf'),
    // Both look for a message bus otherwise, and with a screen would start one.
    DBUS_SESSION_BUS_ADDRESS: 'disabled:',
    DISPLAY: undefined,
  };
  let server: ChildProcess | undefined;
  let stopped = false;

  /** Resolves when it takes programs. `ended` never rejects. */
  async function start(): Promise<{ ended: Promise<string> }> {
    await rm(sockets.server, { force: true });
    server = spawn('pulseaudio', serverArguments(sockets.server), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: environment,
    });
    const ended = endOf(server);
    let over: string | undefined;
    void ended.then((why) => {
      over = why;
    });
    const until = performance.now() + startWithinMs;
    // The last module that it loads makes the socket.
    while (!(await exists(sockets.server))) {
      if (over !== undefined) throw new Error(over);
      if (performance.now() > until) {
        server.kill('SIGKILL');
        throw new Error(`PulseAudio did not start within ${startWithinMs / 1000} s`);
      }
      await sleep(10);
    }
    return { ended };
  }

  /** Programs connect again by themselves, or are opened again. */
  async function keep(ended: Promise<string>): Promise<void> {
    await ended;
    while (!stopped) {
      await sleep(pauseMs);
      if (stopped) return;
      try {
        await (await start()).ended;
      } catch {
        // what could not be started, as after a fork bomb, is tried again
      }
    }
  }

  try {
    await mkdir(state, { recursive: true, mode: 0o700 });
    await writeFile(environment.PULSE_CONFIG, configuration);
    const { ended } = await start();
    await listen(sockets, environment);
    void keep(ended);
  } catch (error) {
    stopped = true;
    server?.kill();
    delete process.env.PULSE_SERVER;
    throw error;
  }
  return {
    stop() {
      stopped = true;
      server?.kill();
    },
  };
}

/** pulseaudio(1): it does nothing of its usual script, nothing may be loaded into it later, and no memory is shared with it. */
function serverArguments(socket: string): string[] {
  const modules = [
    `module-null-sink sink_name=${sink} rate=48000 channels=2 norewinds=1 sink_properties=device.description=Desktop`,
    `module-suspend-on-idle timeout=${idleSeconds}`,
    // Without a cookie, so that it lets in who has its own user id, which the kernel says.
    `module-native-protocol-unix auth-cookie-enabled=0 socket=${socket}`,
  ];
  return [
    ...['-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1', '--realtime=no', '--high-priority=no'],
    ...[
      '--disallow-exit',
      '--disallow-module-loading',
      '--disable-shm=yes',
      '--log-target=stderr',
      '--log-level=error',
    ],
    ...modules.flatMap((module) => ['--load', module]),
  ];
}

/** Lets whoever connects hear the sink, for as long as they stay. */
async function listen(sockets: SoundSockets, environment: NodeJS.ProcessEnv): Promise<void> {
  const server = createServer((listener: Socket) => {
    const recorder = spawn('parec', [...listening, `--server=unix:${sockets.server}`, `--device=${sink}.monitor`], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: environment,
    });
    // Without a recorder there is nothing to hear: the connection ends, and whoever wants to tries again.
    recorder.once('error', () => listener.destroy());
    pipeline(recorder.stdout, listener, () => recorder.kill());
    // Nothing is taken from it; its end would not be seen otherwise.
    listener.resume();
    listener.once('close', () => recorder.kill());
  });
  server.maxConnections = listenersAtMost;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(sockets.capture, resolve);
  });
}

function endOf(server: ChildProcess): Promise<string> {
  let said = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptCharacters);
  });
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(`PulseAudio cannot be started: ${error.message}`));
    server.once('close', () => resolve(`PulseAudio has ended${said.trim() ? `: ${said.trim()}` : ''}`));
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
