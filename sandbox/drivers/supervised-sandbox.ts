import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { SoundState, SupervisorRequest } from '../inside/messages.ts';
import { type CommandRequest, type CommandResult, DriverError, type Sandbox } from './driver.ts';
import { jsonLines } from './json-lines.ts';

/** A supervisor that has not said that its screen runs by then never will. */
const readyWithinMs = 20_000;
/** The supervisor keeps the time of a command; a host waits so much longer before it believes that it hangs. */
const graceMs = 10_000;
/** A supervisor gives what runs inside less than this to end in good order; after a fork bomb it may not be able to. */
const leaveWithinMs = 1500;
/** The longest line: a file of 8 MB in base64, or two outputs of 1 MB. */
const longestLine = 16 * 1024 * 1024;

const soundState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('off') }),
  z.object({ state: z.literal('on') }),
  z.object({ state: z.literal('missing'), why: z.string().max(10_000) }),
]) satisfies z.ZodType<SoundState>;
/** A supervisor that says nothing of sound knows nothing of it. */
const unheard = { state: 'missing', why: 'its image is older than this host: build it anew' } as const;
const message = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ready'),
    display: z.number().int().min(0).max(65535),
    sound: soundState.default(unheard),
  }),
  z.object({ type: z.literal('done'), id: z.number().int(), result: z.unknown() }),
  z.object({ type: z.literal('error'), id: z.number().int(), message: z.string().max(10_000) }),
  z.object({ type: z.literal('ended'), reason: z.string().max(10_000) }),
]);
const runAnswer = z.object({
  exitCode: z.number().int(),
  stdout: z.base64(),
  stderr: z.base64(),
  truncated: z.boolean(),
  timedOut: z.boolean(),
});
const readAnswer = z.object({ data: z.base64(), size: z.number().int().min(0) });

const noAnswer = 'the sandbox does not answer: stop it and start it again';

/** A sandbox's first program, however it was started: the two ends of it that a host process holds. */
export interface SupervisorProcess {
  stdin: Writable;
  stdout: Readable;
  /** Resolves when it has ended, with what is known of why: what it wrote on stderr last, its exit code. */
  ended: Promise<string>;
}

/** The part of a {@link Sandbox} that is asked of its supervisor. */
export interface Supervised extends Pick<Sandbox, 'run' | 'openUrl' | 'readFile' | 'writeFile'> {
  /** The number of the X display, inside. */
  display: number;
  sound: SoundState;
  /** Resolves with the reason when the supervisor has ended or says that it will. */
  ended: Promise<string>;
  /** Asks it to end everything inside in good order. Resolves when it has, or has had time enough. `why`: for whoever still waits. */
  leave(why: string): Promise<void>;
}

/**
 * Waits for a supervisor's screen, then asks it what a Desktop is asked. What it answers is read as anybody's: programs inside share
 * its user.
 *
 * @throws DriverError when the screen does not come up
 */
export async function superviseSandbox(supervisor: SupervisorProcess): Promise<Supervised> {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: DriverError): void }>();
  const ready = Promise.withResolvers<{ display: number; sound: SoundState }>();
  const over = Promise.withResolvers<string>();
  /** Requests whose answer nobody waits for any more. */
  const overdue = new Set<number>();
  let reason: string | undefined;
  let isReady = false;
  let last = 0;

  function end(why: string): void {
    reason ??= why;
    over.resolve(reason);
    ready.reject(new DriverError(`the sandbox did not start: ${reason}`));
    for (const request of waiting.values()) request.reject(new DriverError(`the sandbox has ended: ${reason}`));
    waiting.clear();
  }

  jsonLines(supervisor.stdout, longestLine, end, (line) => {
    const said = message.safeParse(line);
    if (!said.success) return end('its supervisor said something that cannot be read');
    if (said.data.type === 'ready' && !isReady) {
      isReady = true;
      ready.resolve(said.data);
    } else if (said.data.type === 'ended') end(said.data.reason);
    // A flood of these would keep the host from all its other Desktops.
    else if (said.data.type === 'ready' || !(waiting.has(said.data.id) || overdue.delete(said.data.id)))
      end('its supervisor answered what nobody has asked');
    else {
      const request = waiting.get(said.data.id);
      waiting.delete(said.data.id);
      if (said.data.type === 'done') request?.resolve(said.data.result);
      else request?.reject(new DriverError(said.data.message));
    }
  });
  // it is gone: that is told by `ended`, with a reason
  supervisor.stdin.on('error', () => {});
  void supervisor.ended.then(end);

  function tell(request: SupervisorRequest): void {
    supervisor.stdin.write(`${JSON.stringify(request)}\n`);
  }

  async function ask(request: DistributiveOmit<SupervisorRequest, 'id'>, withinMs: number, signal?: AbortSignal) {
    if (reason !== undefined) throw new DriverError(`the sandbox has ended: ${reason}`);
    signal?.throwIfAborted();
    // It has stopped reading: what more it is asked would only fill the memory here.
    if (supervisor.stdin.writableLength > longestLine) throw new DriverError(noAnswer);
    const id = ++last;
    const cancel = () => tell({ id: ++last, do: 'cancel', of: id });
    signal?.addEventListener('abort', cancel, { once: true });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(id, { resolve, reject });
    const late = setTimeout(() => {
      waiting.delete(id);
      overdue.add(id);
      reject(new DriverError(noAnswer));
    }, withinMs + graceMs);
    tell({ id, ...request });
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      signal?.removeEventListener('abort', cancel);
    }
  }

  async function run({ signal, ...command }: CommandRequest): Promise<CommandResult> {
    const answer = read(runAnswer, await ask({ do: 'run', ...command }, command.timeoutMs, signal));
    const { outputBytes } = command;
    return { ...answer, stdout: textOf(answer.stdout, outputBytes), stderr: textOf(answer.stderr, outputBytes) };
  }

  const late = setTimeout(() => end(`its screen was not there after ${readyWithinMs / 1000} s`), readyWithinMs);
  const { display, sound } = await ready.promise.finally(() => clearTimeout(late));
  return {
    display,
    sound,
    ended: over.promise,
    run,
    openUrl: async (url) => void (await ask({ do: 'open_url', url }, 0)),
    readFile: async (path, offset, bytes) => {
      const answer = read(readAnswer, await ask({ do: 'read', path, offset, bytes }, 0));
      return { data: Buffer.from(answer.data, 'base64').subarray(0, bytes), size: answer.size };
    },
    writeFile: async (path, data) => void (await ask({ do: 'write', path, data: data.toString('base64') }, 0)),
    leave: async (why) => {
      end(why);
      supervisor.stdin.end();
      await Promise.race([supervisor.ended, sleep(leaveWithinMs, undefined, { ref: false })]);
    },
  };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new DriverError('the sandbox answered with something that cannot be read');
  return parsed.data;
}

function textOf(base64: string, atMost: number): string {
  return Buffer.from(base64, 'base64').subarray(0, atMost).toString('utf8');
}
