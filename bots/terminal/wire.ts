import { z } from 'zod';

/** What the terminal door and its client say to one another: the one place where it is written down. */

/** The longest message, in UTF-16 units; the JSON around it may take {@link requestBytes}. */
export const longestMessage = 200_000;

/** The largest body of a request: a message of nothing but characters that JSON writes as `\u0000` fits. */
export const requestBytes = 6 * longestMessage + 4096;

/** The client's own name for a message: said again after a lost answer, it leads to the same Event. */
const clientId = z.string().regex(/^[\w-]{8,64}$/, '8 to 64 letters, digits, - or _');

/** An id in a path or body. What it names is looked up, never trusted. */
function idOf<P extends 's' | 't'>(prefix: P) {
  return z.templateLiteral([`${prefix}-`, z.string().regex(/^[\w.-]{1,100}$/)]);
}

/** An id of a Thread, as it stands in a path. */
export const threadId = idOf('t');

/** `POST /terminal/messages`. Without a Thread it begins one, in the Stream named or in `s-general`. */
export const newMessage = z.strictObject({
  id: clientId,
  body: z
    .string()
    .max(longestMessage, `it has more than ${longestMessage} characters: send it in parts`)
    .refine((body) => body.trim() !== '', 'it is empty'),
  thread: threadId.optional(),
  stream: idOf('s').optional(),
});
export type NewMessage = z.output<typeof newMessage>;

/** `POST /terminal/threads/{thread}/stop`. */
export const stopRequest = z.strictObject({ id: clientId });

const named = z.object({ id: z.string(), name: z.string() });
/** A Worker, as far as a client needs to know it. */
export type Named = z.output<typeof named>;

/** The answer to a message: it is committed. */
export const accepted = z.object({
  event: z.string(),
  stream: z.string(),
  thread: z.string(),
  position: z.number(),
  /** The position of the Thread's last Event by now: the core's own answer to a command is not after it. */
  upTo: z.number(),
  /** It had been accepted before. */
  duplicate: z.boolean(),
  /** The core itself answers it: it was a command. */
  answered: z.boolean(),
  /** The AI Workers that it has woken. */
  woken: z.array(named),
  /** Why it has woken nobody; null when it has, or when the core itself answers. */
  unheard: z.enum(['aside', 'muted', 'nobody']).nullable(),
});
export type Accepted = z.output<typeof accepted>;

/** `GET /terminal/completions`. */
export const completions = z.object({
  me: named,
  commands: z.array(z.object({ name: z.string(), description: z.string() })),
  workers: z.array(named),
});
export type Completions = z.output<typeof completions>;

const eventFrame = z.object({
  kind: z.literal('event'),
  id: z.string(),
  position: z.number(),
  author: named.nullable(),
  sourceKind: z.enum(['human', 'ai', 'system', 'notice']),
  body: z.string(),
  /** The Activation whose reply it is: its draft is over. */
  activation: z.string().nullable(),
  /** The Event that it answers. */
  answers: z.string().nullable(),
  /** The name that the reader's own client gave it. */
  sentAs: z.string().nullable(),
  /** The Desktop that it shows, in words, with links that are this reader's own: they go into no log. */
  desktop: z.string().optional(),
  /** The files of ours that it names, in words, each with a link for its reader: they go into no log either. */
  files: z.string().optional(),
});
/** A finished Event of the Thread. */
export type EventFrame = z.output<typeof eventFrame>;

const draftFrame = z.object({
  kind: z.literal('draft'),
  activation: z.string(),
  /** Keep so many UTF-16 units of what you have, then comes `text`. 0: this is all of it. */
  at: z.number().int().min(0),
  text: z.string(),
});

const work = z.object({
  worker: named,
  /** Null: it has not begun. */
  activation: z.string().nullable(),
  /** `waiting`: for its next attempt. */
  state: z.enum(['queued', 'running', 'waiting']),
  /** Why the last attempt failed. */
  reason: z.string().nullable(),
});
/** Somebody who works, or is about to. */
export type Work = z.output<typeof work>;

const workFrame = z.object({
  kind: z.literal('work'),
  /** Every Event of the Thread up to this position has been sent, and `working` is what came of them. */
  upTo: z.number(),
  /** Nobody: no reply to anything up to `upTo` is to come. */
  working: z.array(work),
  /** Once nobody works: the Events, of the Thread's last 200, that were given up on. */
  dead: z.array(z.string()),
});
export type WorkFrame = z.output<typeof workFrame>;

/** One Server-Sent Event of `GET /terminal/threads/{thread}/events?since=position`. */
export const frame = z.discriminatedUnion('kind', [eventFrame, draftFrame, workFrame]);
export type Frame = z.output<typeof frame>;

/** A comment is sent so often, so that both sides notice a connection that died silently. */
export const heartbeatMs = 15_000;
