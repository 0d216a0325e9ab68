import type { RawData, WebSocket } from 'ws';
import type { z } from 'zod';
import { ConflictError, InvalidInputError, type SwitchboardError, UnavailableError } from '../errors.ts';
import {
  type AgentStep,
  type ChannelRequest,
  channelReply,
  readFileResult,
  runResult,
  stillResult,
} from './host-messages.ts';

/** A picture of the screen at one moment. */
export interface Still {
  /** Grows with every change of the screen, within one generation of the Desktop. */
  serial: number;
  width: number;
  height: number;
  /** Null: nothing has changed since the serial that was asked with. */
  data: Buffer | null;
}

/** What a command in the sandbox came to. */
export type CommandResult = z.output<typeof runResult>;

/**
 * What the core asks of one Desktop beside its picture. Each throws InvalidInputError for what the agent can mend, ConflictError (`controlled`)
 * while a person has the input, UnavailableError (`desktop_unavailable`) when the Desktop or its Host is not there.
 */
export interface DesktopChannel {
  still(request: { format: 'jpeg' | 'png'; quality: number; width?: number; unless?: number }): Promise<Still>;
  act(steps: AgentStep[]): Promise<void>;
  openUrl(url: string): Promise<void>;
  run(request: { command: string; timeoutMs: number; outputBytes: number }): Promise<CommandResult>;
  /** `size`: of the whole file, in bytes. */
  readFile(path: string, offset: number, limit: number): Promise<{ data: Buffer; size: number }>;
  writeFile(path: string, data: Buffer): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  /** The last seconds as an MP4 file. */
  clip(seconds: number): Promise<Buffer>;
}

/** An open channel. */
export interface OpenChannel extends DesktopChannel {
  /** Kept when the connection has ended, whatever the reason. */
  readonly ended: Promise<void>;
  /** Whether an answer is waited for: a command may take its time. */
  isBusy(): boolean;
  close(): void;
}

interface Waiting {
  resolve(reply: { result: unknown; data: Buffer }): void;
  reject(error: SwitchboardError): void;
  timer: NodeJS.Timeout;
}

/** A Host that has not answered by then will not, in milliseconds; commands say how long they take themselves. */
const answerWithinMs = 30_000;

const nothing = Buffer.alloc(0);

/** Speaks the channel's side of the core on a connection that the Host has made. Requests may overlap; replies come in any order. */
export function openChannel(socket: WebSocket): OpenChannel {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  /** A reply whose bytes are the next message. */
  let announced: { id: number; result: unknown; bytes: number } | undefined;

  function settle(id: number, outcome: { result: unknown; data: Buffer } | SwitchboardError): void {
    const request = waiting.get(id);
    if (!request) return;
    waiting.delete(id);
    clearTimeout(request.timer);
    if ('result' in outcome) request.resolve(outcome);
    else request.reject(outcome);
  }

  function hear(data: RawData, isBinary: boolean): void {
    if (announced) {
      const { id, result, bytes } = announced;
      announced = undefined;
      const content = bytesOf(data);
      if (isBinary && content.byteLength === bytes) settle(id, { result, data: content });
      else socket.close(1002, 'bytes of the announced size were to follow');
      return;
    }
    const reply = isBinary ? undefined : read(data);
    if (!reply) socket.close(1002, 'this is no reply');
    else if ('error' in reply) settle(reply.id, errorOf(reply.error));
    else if (reply.bytes > 0) announced = reply;
    else settle(reply.id, { result: reply.result, data: nothing });
  }

  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      for (const id of waiting.keys()) settle(id, unavailable('the connection to the desktop has ended: try again'));
      resolve();
    });
  });
  socket.on('message', hear);
  socket.resume();

  async function ask(
    request: ChannelRequest,
    options: { withinMs?: number; content?: Buffer } = {},
  ): Promise<{ result: unknown; data: Buffer }> {
    if (socket.readyState !== socket.OPEN) throw unavailable('the connection to the desktop has ended: try again');
    const id = ++lastId;
    const { promise, resolve, reject } = Promise.withResolvers<{ result: unknown; data: Buffer }>();
    const tooLate = () => settle(id, unavailable('the host of the desktop did not answer in time: try again'));
    waiting.set(id, { resolve, reject, timer: setTimeout(tooLate, options.withinMs ?? answerWithinMs) });
    socket.send(JSON.stringify({ id, ...request }));
    if (options.content && options.content.byteLength > 0) socket.send(options.content);
    return await promise;
  }

  return {
    async still(request) {
      const { result, data } = await ask({ method: 'still', ...request });
      const about = understood(stillResult, result);
      return { ...about, data: data.byteLength > 0 ? data : null };
    },
    async act(steps) {
      await ask({ method: 'act', steps }, { withinMs: 2 * answerWithinMs });
    },
    async openUrl(url) {
      await ask({ method: 'open_url', url });
    },
    async run(request) {
      const { result } = await ask({ method: 'run', ...request }, { withinMs: request.timeoutMs + answerWithinMs });
      return understood(runResult, result);
    },
    async readFile(path, offset, limit) {
      const { result, data } = await ask({ method: 'read_file', path, offset, limit });
      return { data, ...understood(readFileResult, result) };
    },
    async writeFile(path, data) {
      await ask({ method: 'write_file', path, bytes: data.byteLength }, { content: data });
    },
    async resize(width, height) {
      await ask({ method: 'resize', width, height });
    },
    async clip(seconds) {
      return (await ask({ method: 'clip', seconds })).data;
    },
    ended,
    isBusy: () => waiting.size > 0,
    close: () => socket.close(1000),
  };
}

/** @throws UnavailableError for an answer of another shape: the Host is of another version. */
function understood<Schema extends z.ZodType>(schema: Schema, result: unknown): z.output<Schema> {
  const parsed = schema.safeParse(result);
  if (!parsed.success) throw unavailable('the host answered what the core does not know: run the same version of both');
  return parsed.data;
}

function read(data: RawData): z.output<typeof channelReply> | undefined {
  try {
    return channelReply.parse(JSON.parse(String(data)));
  } catch {
    return undefined;
  }
}

function errorOf({ code, message }: { code: string; message: string }): SwitchboardError {
  switch (code) {
    case 'refused':
      return new InvalidInputError(message);
    case 'controlled':
      return new ConflictError(message, 'controlled');
    default:
      return unavailable(message);
  }
}

function unavailable(message: string): UnavailableError {
  return new UnavailableError(message, 'desktop_unavailable');
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
