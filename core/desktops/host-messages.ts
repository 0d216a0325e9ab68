import { z } from 'zod';

/**
 * The core's reading of what it and a Host say to each other. The Host has its own (sandbox/host/messages.ts, where each message is
 * explained); the two share nothing but the wire, and `linkVersion` says that both mean the same.
 */

export const linkVersion = 1;

const hostId = z.custom<`h-${string}`>(
  (value) => typeof value === 'string' && /^h-[a-z0-9][a-z0-9-]{0,97}$/.test(value),
  'the id of a host is "h-" and small letters, digits and hyphens',
);
const desktopId = z.custom<`d-${string}`>((value) => typeof value === 'string' && /^d-[a-z0-9-]{1,98}$/.test(value));
const sentence = z.string().max(2000);
const report = z.object({ name: z.string().max(100), works: z.boolean(), detail: sentence });
const reports = z.array(report).max(20);

/** Host → core, on the link. */
export const fromHost = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('register'),
    v: z.number(),
    host: hostId,
    capacity: z.number().int().min(0).max(100_000),
    drivers: reports,
    encoders: reports,
  }),
  z.object({ type: z.literal('heartbeat') }),
  z.object({
    type: z.literal('desktop'),
    id: desktopId,
    generation: z.number().int(),
    state: z.enum(['starting', 'running', 'stopped', 'failed']),
    detail: sentence,
    driver: z.string().max(100).nullable(),
    width: z.number().int(),
    height: z.number().int(),
    viewers: z.number().int().min(0),
  }),
  z.object({
    type: z.literal('control'),
    desktop: desktopId,
    generation: z.number().int(),
    state: z.enum(['taken', 'returned']),
    subject: z.string().max(200).nullable(),
    name: z.string().max(200),
    steps: z.array(z.string().max(1000)).max(1000),
  }),
]);
export type FromHost = z.output<typeof fromHost>;
export type Registration = Extract<FromHost, { type: 'register' }>;
export type DesktopReport = Extract<FromHost, { type: 'desktop' }>;
export type ControlReport = Extract<FromHost, { type: 'control' }>;

/** A Desktop that is to run on a Host. */
export interface DesiredDesktop {
  id: string;
  generation: number;
  home: string;
  width: number;
  height: number;
  network: readonly string[];
  limits: { memoryBytes: number; cpus: number; processes: number; diskBytes: number };
  recording: string | null;
}

/** Who watches, as the other viewers and the agent are told. */
export interface DialPerson {
  viewer: string;
  subject: string | null;
  name: string;
  mode: 'watch' | 'control';
}

/** Core → Host, on the link. */
export type FromCore =
  | { type: 'registered'; host: string }
  | { type: 'alive' }
  | { type: 'desktops'; desktops: DesiredDesktop[] }
  | { type: 'dial'; desktop: string; kind: 'viewer' | 'channel'; url: string; ticket: string; person?: DialPerson }
  | { type: 'refused'; message: string };

/** What an agent does on the screen, in its pixels. */
export type AgentStep =
  | { do: 'click'; x: number; y: number; button: 'left' | 'middle' | 'right'; count: number }
  | { do: 'move'; x: number; y: number }
  | { do: 'drag'; fromX: number; fromY: number; toX: number; toY: number }
  | { do: 'type'; text: string }
  | { do: 'key'; keys: string }
  | { do: 'scroll'; x: number; y: number; dx: number; dy: number };

/** Core → Host, on a channel. `write_file` is followed at once by one binary message of `bytes` bytes. */
export type ChannelRequest =
  | { method: 'still'; format: 'jpeg' | 'png'; quality: number; width?: number; unless?: number }
  | { method: 'act'; steps: AgentStep[] }
  | { method: 'open_url'; url: string }
  | { method: 'run'; command: string; timeoutMs: number; outputBytes: number }
  | { method: 'read_file'; path: string; offset: number; limit: number }
  | { method: 'write_file'; path: string; bytes: number }
  | { method: 'resize'; width: number; height: number }
  | { method: 'clip'; seconds: number };

/** Host → core, on a channel: one reply a request; `bytes` above 0: one binary message of so many bytes follows at once. */
export const channelReply = z.union([
  z.object({ id: z.number().int(), result: z.record(z.string(), z.unknown()), bytes: z.number().int().min(0) }),
  z.object({
    id: z.number().int(),
    error: z.object({ code: z.enum(['refused', 'controlled', 'not_running', 'failed']), message: sentence }),
  }),
]);

/** What the methods answer. */
export const stillResult = z.object({ serial: z.number().int(), width: z.number().int(), height: z.number().int() });
export const runResult = z.object({
  exitCode: z.number().int(),
  stdout: z.string(),
  stderr: z.string(),
  truncated: z.boolean(),
  timedOut: z.boolean(),
});
export const readFileResult = z.object({ size: z.number().int() });
