import { doctor } from './host/doctor.ts';
import { handedOver } from './host/embedding-messages.ts';
import { createHostLog } from './host/host-log.ts';
import { HostConfigurationError, readHostSettings } from './host/read-host-settings.ts';
import { runEncoder } from './host/run-encoder.ts';
import { runHost } from './host/run-host.ts';
import type { HostSettings } from './settings.ts';

/**
 * The host process:
 *
 *   index.ts            a host of its own (`npm run host`), by CORE_URL and HOST_TOKEN; lives until SIGTERM, SIGINT or SIGHUP
 *   index.ts embedded   beside the core that has started it (sandbox/embed-host.ts); lives as long as that
 *   index.ts encode     encodes pictures for hosts that cannot (REMOTE_ENCODER); lives until SIGTERM, SIGINT or SIGHUP
 *   index.ts doctor     what this machine can do for Desktops, as a table; exit code 0 if they can run
 */
async function main([command = 'run', ...rest]: string[]): Promise<number> {
  if (rest.length > 0 || !['run', 'embedded', 'encode', 'doctor'].includes(command)) {
    process.stderr.write(
      `switchboard host: unknown command "${[command, ...rest].join(' ')}" (valid: encode, doctor)\n`,
    );
    return 1;
  }
  if (command === 'doctor') return await doctor(read());
  if (command === 'encode') return await encode();
  return command === 'run' ? await runAlone() : await runEmbedded();
}

async function runAlone(): Promise<number> {
  const signalled = nextSignal();
  const settings = read();
  const { running, started } = await runHost(settings, createHostLog(settings.LOG_LEVEL));
  process.stderr.write(`Desktops   ${started.line}\n`);
  await signalled;
  await running.stop();
  return 0;
}

async function encode(): Promise<number> {
  const signalled = nextSignal();
  const settings = read();
  const running = await runEncoder(settings, createHostLog(settings.LOG_LEVEL));
  process.stderr.write(`Encoder    ${running.line}\n`);
  await signalled;
  await running.close();
  return 0;
}

/** Ends with the core's channel, however the core ends. Ctrl-C reaches this process too, but it is the core's to decide. */
async function runEmbedded(): Promise<number> {
  const orphaned = new Promise<void>((resolve) => process.once('disconnect', resolve));
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const terminated = new Promise<void>((resolve) => process.once('SIGTERM', resolve));
  const handed = await new Promise((resolve) => process.once('message', resolve));
  const settings = read(handedOver.parse(handed).settings);
  const { running, started } = await runHost(settings, createHostLog(settings.LOG_LEVEL));
  process.send?.(started);
  await Promise.race([orphaned, terminated]);
  await running.stop();
  return 0;
}

/** What the processes that the host starts would otherwise inherit. */
function read(handed?: Record<string, string>): HostSettings {
  const settings = readHostSettings({ handed, environment: process.env, directory: process.cwd() });
  delete process.env.HOST_TOKEN;
  delete process.env.REMOTE_ENCODER_TOKEN;
  return settings;
}

/** The second one ends the process at once: its Desktops end with it. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => {
        if (first !== undefined && performance.now() - first > 1000) process.exit(130);
        first ??= performance.now();
        resolve();
      });
  });
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`switchboard host: ${error instanceof HostConfigurationError ? error.message : why}\n`);
  process.exit(1);
}
