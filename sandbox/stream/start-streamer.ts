import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { encoderEnvironment } from '../encode/encoder-environment.ts';
import {
  InputRefusedError,
  NothingRecordedError,
  type Still,
  type Streamer,
  type StreamerListener,
  type StreamerOptions,
} from './streamer.ts';
import type { Answer, FromStreamer, Question, RefusalKind, ToStreamer } from './streamer-messages.ts';

const program = fileURLToPath(new URL('streamer-process.ts', import.meta.url));
/** A streamer that has not begun by then, or not ended, is ended by force. */
const startWithinMs = 15_000;
const stopWithinMs = 3000;

/** The streamer has ended, or it failed at something: not the fault of who asked. */
export class StreamerFailedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StreamerFailedError';
  }
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/**
 * A streamer process that belongs to no Desktop yet. It gets none of the host's environment but paths, and what it is to know over a
 * channel that no other process can read. It ends with this process.
 *
 * @param encodes whether it loads what encodes at once, before it is told to start
 */
export function forkStreamer(encodes: boolean): ChildProcess {
  return fork(program, encodes ? ['encodes'] : [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: encoderEnvironment(),
    execArgv: [],
  });
}

/**
 * Makes a process capture, encode and send one Desktop's screen, and resolves when it is ready for viewers.
 *
 * @param child from {@link forkStreamer}, and nobody else's
 * @throws StreamerFailedError when it cannot reach the screen
 */
export async function startStreamer(
  options: StreamerOptions,
  listener: StreamerListener,
  child = forkStreamer(options.encoders.names.length > 0),
): Promise<Streamer> {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let reason: string | undefined;
  const { promise: ready, resolve: tellReady } = Promise.withResolvers<void>();
  const { promise: ended, resolve: tellEnded } = Promise.withResolvers<string>();

  child.on('error', (error) => {
    reason ??= error.message;
    // Without a process there is no `exit` either.
    if (child.pid === undefined) over();
  });
  child.on('exit', (code, signal) => {
    reason ??= signal ? `its process was ended by ${signal}` : `its process ended with code ${code}`;
    over();
  });
  child.on('message', (message) => hear(message as FromStreamer));

  function over(): void {
    const text = `the streamer has ended: ${reason}`;
    for (const { reject } of waiting.values()) reject(new StreamerFailedError(text));
    waiting.clear();
    tellEnded(reason ?? '');
  }

  function hear(message: FromStreamer): void {
    switch (message.type) {
      case 'ready':
        tellReady();
        break;
      case 'failed':
        reason ??= message.reason;
        break;
      case 'viewers':
        listener.viewers(message.people);
        break;
      case 'control_asked':
        listener.controlAsked(message.person);
        break;
      case 'control_released':
        listener.controlReleased(message.person);
        break;
      case 'person_did':
        listener.personDid(message.steps);
        break;
      case 'resized':
        listener.resized(message.width, message.height);
        break;
      case 'encoding':
        listener.encoding?.(message.state);
        break;
      case 'trouble':
        listener.trouble?.(message.what);
        break;
      case 'answer':
        waiting.get(message.id)?.resolve(message.answer);
        waiting.delete(message.id);
        break;
      case 'refused':
        waiting.get(message.id)?.reject(errorOf(message.kind, message.message));
        waiting.delete(message.id);
        break;
    }
  }

  function tell(message: ToStreamer): void {
    if (child.connected) child.send(message, () => undefined);
  }

  function ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!child.connected) return reject(new StreamerFailedError(`the streamer has ended: ${reason ?? 'stopped'}`));
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      tell({ type: 'ask', id, question });
    });
  }

  tell({ type: 'start', options });
  const late = setTimeout(() => {
    reason ??= `it was not ready after ${startWithinMs / 1000} s`;
    child.kill('SIGKILL');
  }, startWithinMs);
  const failure = await Promise.race([ready.then(() => null), ended]);
  clearTimeout(late);
  if (failure !== null) throw new StreamerFailedError(`the streamer does not start: ${failure}`);

  return {
    pid: pidOf(child),
    dial: (viewer) => tell({ type: 'dial', viewer }),
    still: async (request) => (await ask({ method: 'still', request })) as Still,
    act: async (steps) => {
      await ask({ method: 'act', steps });
    },
    setController: (controller) => tell({ type: 'controller', controller }),
    resize: async (width, height) => {
      await ask({ method: 'resize', width, height });
    },
    record: (activation) => tell({ type: 'record', activation }),
    clip: async (seconds) => (await ask({ method: 'clip', seconds })) as Buffer,
    ended,
    async stop() {
      reason ??= 'it was stopped';
      tell({ type: 'stop' });
      const tooLong = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
      await ended;
      clearTimeout(tooLong);
    },
  };
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new StreamerFailedError('the streamer does not start: it has no process');
  return pid;
}

function errorOf(kind: RefusalKind, message: string): Error {
  switch (kind) {
    case 'input_refused':
      return new InputRefusedError(message);
    case 'nothing_recorded':
      return new NothingRecordedError(message);
    case 'failed':
      return new StreamerFailedError(message);
  }
}
