import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newMessageId } from '../../e2e/clients/send-mail.ts';
import { type House, openHouse } from '../../e2e/house.ts';
import type { XDisplay } from '../../sandbox/drivers/driver.ts';
import { findByRole, findServerProcesses } from './house-processes.ts';

/** A Desktop at work. */
export interface RunningDesktop {
  readonly id: string;
  /** Its X server, seen from here. */
  readonly display: XDisplay;
  /** What its links in the thread carry. The one to control is good for its first 15 minutes. */
  readonly tokens: { watch: string; control: string };
}

/** The product at work, with Desktops. */
export interface DesktopHouse extends AsyncDisposable {
  /** Of the core, on 127.0.0.1. */
  readonly port: number;
  readonly screen: { width: number; height: number };
  readonly desktops: readonly RunningDesktop[];
  /** The core, its database and host, streamers and X servers; not what else runs on the Desktops. */
  processes(): number[];
  /** Those of one kind (house-processes.ts, roleOf). */
  processesOf(role: string): number[];
  /** What the core and its host have logged, the last 256 KiB. */
  log(): string;
}

const person = 'bench@example.com';
/** The host finds out what the machine can do before it takes any Desktop. */
const readyWithinMs = 60_000;

/**
 * Starts the whole product and asks for Desktops by mail, each in a thread of its own, as a person would. Disposing of it leaves nothing
 * behind.
 */
export async function openDesktops(wanted: { count: number; width: number; height: number }): Promise<DesktopHouse> {
  await using opened = new AsyncDisposableStack();
  const house = opened.use(
    await openHouse({
      env: {
        EMBEDDED_HOST: 'true',
        MAIL_TRUSTED_RELAYS: '127.0.0.1',
        DESKTOP_SIZE: `${wanted.width}x${wanted.height}`,
        DESKTOP_CAPACITY: String(wanted.count),
        DESKTOP_IDLE: String(24 * 3600),
        LOG_LEVEL: 'debug',
      },
    }),
  );
  const core = await house.start();
  for (const deadline = performance.now() + readyWithinMs; !core.output().includes('a sandbox host is connected'); ) {
    if (performance.now() > deadline) throw new Error(`no sandbox host connected within a minute:\n${core.output()}`);
    await sleep(100);
  }
  await ask(house, await house.switchboard('pair'));
  const desktops: RunningDesktop[] = [];
  for (let n = 0; n < wanted.count; n++) desktops.push(await startDesktop(house));
  const kept = opened.move();
  return {
    port: core.port,
    screen: { width: wanted.width, height: wanted.height },
    desktops,
    processes: () => findServerProcesses(core.pid),
    processesOf: (role) => findByRole(core.pid, role),
    log: core.output,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function startDesktop(house: House): Promise<RunningDesktop> {
  const answer = await ask(house, 'control');
  const tokens = new Map<string, string>();
  let id: string | undefined;
  for (const [, label, desktop, token] of answer.matchAll(
    /^(Watch|Open and control)\b[^\n]*?:\s+\S+\/d\/(d-[\w-]+)#(\S+)$/gm,
  )) {
    id = desktop;
    if (label && token) tokens.set(label, token);
  }
  const [watch, control] = [tokens.get('Watch'), tokens.get('Open and control')];
  if (!id || !watch || !control) {
    const said = answer.replaceAll(/#\S+/g, '#…');
    throw new Error(`the answer to the mail "control" lacks a link to watch or to control: ${said}`);
  }
  return { id, tokens: { watch, control }, display: await displayOf(join(house.dataDirectory, 'host'), id) };
}

/** Where a host keeps what it needs to reach a Desktop's X server (sandbox/host/host-folder.ts, sandbox/drivers/runtime-folder.ts). */
async function displayOf(hostFolder: string, desktop: string): Promise<XDisplay> {
  const runtime = join(hostFolder, 'runtime', createHash('sha256').update(desktop).digest('hex').slice(0, 12));
  const authority = await readFile(join(runtime, 'shared', 'authority'));
  return { socketPath: join(runtime, 'X'), cookie: authority.subarray(-16).toString('hex') };
}

async function ask(house: House, text: string): Promise<string> {
  const messageId = newMessageId();
  await house.send({ from: person, text, messageId });
  const answer = await house.sink.waitFor((mail) => mail.inReplyTo === messageId, readyWithinMs);
  return answer.text;
}
