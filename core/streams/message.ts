import type { Attachment } from '../store/entities/streams.ts';
import type { ActivationId, BindingId, EventId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';

/** Who is behind an Event. A `notice` is what the core itself says; it wakes nobody. */
export type SourceKind = 'human' | 'ai' | 'system' | 'notice';

/**
 * The envelope, the same for every platform. `from` and `to` hold platform ids verbatim (an address, a Slack user id, a Worker's
 * id); an empty `from` means that nobody wrote it. `body` is markdown. `attachments` say where a file lies, never its bytes.
 */
export interface Message {
  from: string;
  to: string[];
  subject: string;
  body: string;
  attachments: Attachment[];
  inReplyTo: string | null;
  messageId: string | null;
  extra: Record<string, unknown>;
}

/** One Message appended to a Stream. */
export interface Event extends Message {
  organisation: OrganisationId;
  id: EventId;
  stream: StreamId;
  position: number;
  thread: ThreadId;
  author: WorkerId | null;
  sourceKind: SourceKind;
  /** How many AIs answered one another to get here: 0 for what a person said. */
  hops: number;
  /** The Event at the head of the chain of answers. */
  origin: EventId;
  cameBy: BindingId | null;
  activation: ActivationId | null;
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
}

/** The columns of `event` under the names of {@link Event}, for `select ${eventColumns} from event e`. */
export const eventColumns = `
  e.organisation, e.id, e.stream, e.position, e.thread, e.author, e.source_kind as "sourceKind", e.hops, e.origin,
  e."from", e."to", e.subject, e.body, e.attachments, e.in_reply_to as "inReplyTo", e.message_id as "messageId", e.extra,
  e.came_by as "cameBy", e.activation, e.created_at as "createdAt", e.edited_at as "editedAt", e.deleted_at as "deletedAt"`;

export type { Attachment };
