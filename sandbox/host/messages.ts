import { z } from 'zod';
import { agentStep } from '../agent-step.ts';

/**
 * What a Host and the core say to each other. Two kinds of connection, both dialled by the Host (it needs no open port), both
 * WebSockets with `Authorization: Bearer`:
 *
 * - the link, `{CORE_URL}/hosts` with HOST_TOKEN, one a Host: JSON texts, {@link fromHost} and {@link fromCore};
 * - what the core asks it to dial (`dial`): `viewer`, where a streamer speaks the wire format of protocol.ts with a person's page, and
 *   `channel`, where the core asks for stills, input and files of one Desktop: {@link channelRequest} and {@link channelReply}.
 *
 * The core has its own reading of the same messages (core/desktops): the two folders share nothing but the wire.
 */

const id = z.string().min(1).max(100);

/** The longest sentence that one tells the other, in UTF-16 units. */
export const sentenceAtMost = 2000;
const sentence = z.string().max(sentenceAtMost);
const report = z.object({ name: z.string(), works: z.boolean(), detail: sentence });

/** Said in `register`; the core refuses a Host of another version. */
export const linkVersion = 1;

export const desktopStates = ['starting', 'running', 'stopped', 'failed'] as const;

/** Host → core. */
export const fromHost = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('register'),
    v: z.number(),
    /** Kept by the Host over restarts: the same Host comes back as the same. */
    host: id,
    /** How many Desktops it can run at once. */
    capacity: z.number().int().min(0),
    drivers: z.array(report),
    encoders: z.array(report),
  }),
  /** Every 5 s. The core answers `alive`; a Host that has heard nothing for 25 s stops its Desktops, since at 30 s they are another's. */
  z.object({ type: z.literal('heartbeat') }),
  /** Whenever one of these has changed. */
  z.object({
    type: z.literal('desktop'),
    id,
    generation: z.number().int(),
    state: z.enum(desktopStates),
    /**
     * Why, as a sentence for people. `failed`: it could not be started. `stopped`: it has ended, as was wanted or by itself; while it is
     * wanted all the same, the core starts it anew by another generation.
     */
    detail: sentence,
    driver: z.string().nullable(),
    width: z.number().int(),
    height: z.number().int(),
    viewers: z.number().int(),
  }),
  z.object({
    type: z.literal('control'),
    desktop: id,
    generation: z.number().int(),
    state: z.enum(['taken', 'returned']),
    subject: z.string().nullable(),
    name: z.string(),
    /** With `returned`: what the person did, in words. */
    steps: z.array(z.string()),
  }),
]);
export type FromHost = z.output<typeof fromHost>;

/** A Desktop that the core wants on this Host. */
export const desiredDesktop = z.object({
  /** Also the name of folders: `[\w-]` only. */
  id: z.string().regex(/^[\w-]{1,100}$/),
  /** Grows when it moves to another Host or starts anew: what an older one says no longer counts. */
  generation: z.number().int(),
  /** The name of its home folder: outlives the Desktop. `[a-z0-9-]` only. */
  home: z.string().regex(/^[a-z0-9-]{1,120}$/),
  width: z.number().int().min(320).max(3840),
  height: z.number().int().min(320).max(2400),
  /** Host names that its network may reach; none: no network. */
  network: z.array(z.string()),
  limits: z.object({
    memoryBytes: z.number().int().positive(),
    cpus: z.number().positive(),
    processes: z.number().int().positive(),
    diskBytes: z.number().int().positive(),
  }),
  /** The Activation to record, if one runs. */
  recording: z.string().nullable(),
});
export type DesiredDesktop = z.output<typeof desiredDesktop>;

/** Core → Host. */
export const fromCore = z.discriminatedUnion('type', [
  z.object({ type: z.literal('registered'), host: id }),
  z.object({ type: z.literal('alive') }),
  /** All that it should run now: what is not in it is stopped. */
  z.object({ type: z.literal('desktops'), desktops: z.array(desiredDesktop) }),
  z.object({
    type: z.literal('dial'),
    desktop: id,
    kind: z.enum(['viewer', 'channel']),
    /** `ws:` or `wss:`, on the core process that waits. */
    url: z.string(),
    ticket: z.string(),
    /** With kind `viewer`. */
    person: z
      .object({ viewer: id, subject: z.string().nullable(), name: z.string(), mode: z.enum(['watch', 'control']) })
      .optional(),
  }),
  /** It ends: the Host is of another version, or another has its name. */
  z.object({ type: z.literal('refused'), message: z.string() }),
]);
export type FromCore = z.output<typeof fromCore>;

/** The most bytes of a file in one request or answer. */
export const fileAtMost = 8_000_000;

/**
 * Core → Host on a channel: a JSON text; `bytes` says that one binary message with the file's content follows at once.
 * Several may be under way; replies come in any order.
 */
export const channelRequest = z.discriminatedUnion('method', [
  z.object({
    id: z.number().int(),
    method: z.literal('still'),
    format: z.enum(['jpeg', 'png']),
    quality: z.number().int().min(1).max(100),
    width: z.number().int().min(16).max(3840).optional(),
    unless: z.number().int().optional(),
  }),
  z.object({ id: z.number().int(), method: z.literal('act'), steps: z.array(agentStep).min(1).max(50) }),
  z.object({ id: z.number().int(), method: z.literal('open_url'), url: z.string().max(8000) }),
  z.object({
    id: z.number().int(),
    method: z.literal('run'),
    command: z.string().max(100_000),
    timeoutMs: z.number().int().min(1).max(600_000),
    outputBytes: z.number().int().min(1).max(1_000_000),
  }),
  z.object({
    id: z.number().int(),
    method: z.literal('read_file'),
    path: z.string().max(4096),
    offset: z.number().int().min(0),
    limit: z.number().int().min(1).max(fileAtMost),
  }),
  z.object({
    id: z.number().int(),
    method: z.literal('write_file'),
    path: z.string().max(4096),
    bytes: z.number().int().min(0).max(fileAtMost),
  }),
  z.object({
    id: z.number().int(),
    method: z.literal('resize'),
    width: z.number().int().min(320).max(3840),
    height: z.number().int().min(320).max(2400),
  }),
  z.object({ id: z.number().int(), method: z.literal('clip'), seconds: z.number().min(1).max(60) }),
]);
export type ChannelRequest = z.output<typeof channelRequest>;

/** Why the Host did not do it. `refused`: the agent can mend it, the message says how. */
export const channelErrorCodes = ['refused', 'controlled', 'not_running', 'failed'] as const;

/** Host → core on a channel: one reply a request; `bytes` above 0: one binary message with so many bytes follows at once. */
export const channelReply = z.union([
  z.object({ id: z.number().int(), result: z.record(z.string(), z.unknown()), bytes: z.number().int().min(0) }),
  z.object({ id: z.number().int(), error: z.object({ code: z.enum(channelErrorCodes), message: sentence }) }),
]);
export type ChannelReply = z.output<typeof channelReply>;
