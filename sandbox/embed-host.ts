import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createBackOff } from './host/back-off.ts';
import { type HandedOver, hostStarted } from './host/embedding-messages.ts';
import { readHostSettings } from './host/read-host-settings.ts';
import { hostSettings } from './settings.ts';

/** What the core that has started tells of itself. */
export interface Embedding {
  /** Where the host dials it: its own address on this machine. */
  coreUrl: string;
  hostToken: string;
  /** The host's folder is in it unless HOST_DIR says otherwise. */
  dataDirectory: string;
  /** Told of a host that has ended by itself. */
  log: { readonly level: string; warn(fields: object, message: string): void };
}

/** A host in a process of its own, beside the core. */
export interface EmbeddedHost {
  describe: string[];
  warnings: string[];
  /** Stops its Desktops and ends it. */
  stop(): Promise<void>;
}

/** It stops its Desktops within this time, or is killed: their sandboxes end with it all the same. */
const stopWithinMs = 10_000;
const longestPauseMs = 30_000;
const program = fileURLToPath(new URL('./index.ts', import.meta.url));

/** What programs need to run at all; the rest of the core's environment, its secrets among it, is not the host's. */
const passedOn =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|XDG_\w+|LD_LIBRARY_PATH|DOCKER_HOST|CONTAINER_HOST|NODE_ENV)$/;

/**
 * Runs a sandbox host beside the core, so that Desktops come with `npm start`. Captured pictures would disturb the core's event loop,
 * hence a process of its own. One that ends by itself is started again; one whose core is killed ends by itself.
 *
 * @param print is given a line under the core's welcome, once: whether Desktops can run here, and if not what to do
 * @returns undefined with EMBEDDED_HOST=false
 * @throws HostConfigurationError for a setting that is malformed
 */
export async function embedHost(
  core: Embedding,
  print = (text: string) => void process.stdout.write(text),
): Promise<EmbeddedHost | undefined> {
  const settings = readHostSettings({ environment: process.env, directory: process.cwd() });
  if (!settings.EMBEDDED_HOST) return undefined;
  const backOff = createBackOff(longestPauseMs);
  let child: ChildProcess | undefined;
  let again: NodeJS.Timeout | undefined;
  let stopping = false;
  let described = false;

  function describe(line: string): void {
    if (!described && !stopping) print(`  Desktops   ${line}\n\n`);
    described = true;
  }

  function begin(): void {
    const startedAt = performance.now();
    const started = fork(program, ['embedded'], {
      env: environment(),
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child = started;
    // A child that is gone already is seen by its exit.
    started.send(handOver(core), () => undefined);
    started.on('message', (message) => {
      const said = hostStarted.safeParse(message);
      if (said.success) describe(said.data.line);
    });
    started.on('error', (err) => core.log.warn({ err }, 'the sandbox host could not be started'));
    started.once('exit', (code, signal) => {
      if (stopping) return;
      if (performance.now() - startedAt > longestPauseMs) backOff.reset();
      const pauseMs = Math.max(backOff.next(), 1000);
      describe('not available: the sandbox host has ended, and says above why');
      core.log.warn({ code, signal }, 'the sandbox host has ended by itself; it is started again');
      again = setTimeout(begin, pauseMs);
    });
  }
  begin();

  return {
    // Not known yet: what this machine can do is tried out, which takes a second, and the core does not wait for it.
    describe: [],
    warnings: [],
    async stop() {
      stopping = true;
      clearTimeout(again);
      if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const ending = child;
      const ended = once(ending, 'exit');
      const kill = setTimeout(() => ending.kill('SIGKILL'), stopWithinMs);
      if (ending.connected) ending.disconnect();
      await ended;
      clearTimeout(kill);
    },
  };
}

function handOver({ coreUrl, hostToken, dataDirectory, log }: Embedding): HandedOver {
  return {
    settings: {
      // A core that listens everywhere is reached at this machine's own address.
      CORE_URL: coreUrl.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:'),
      HOST_TOKEN: hostToken,
      DATA_DIR: dataDirectory,
      LOG_LEVEL: log.level,
    },
  };
}

/** The host's own keys among them; HOST_TOKEN goes another way. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.keys(hostSettings).filter((key) => key !== 'HOST_TOKEN');
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => passedOn.test(key) || own.includes(key)));
}
