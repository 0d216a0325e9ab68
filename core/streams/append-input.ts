import type {
  ActivationId,
  BindingId,
  DeliveryId,
  EventId,
  OrganisationId,
  StreamId,
  ThreadId,
  WorkerId,
} from '../store/ids.ts';
import type { Message, SourceKind } from './message.ts';
import type { Resolved } from './resolve-appends.ts';

/** The scope of receipts for what the core itself says once, such as the notice of the hop limit. */
export const coreScope = 'core';

/** What a Stream is for: it decides who may read (who-may-read.ts). */
export type StreamKind = 'channel' | 'mail' | 'dm' | 'activation';

/** A Message on its way into a Stream. */
export interface AppendInput {
  organisation: OrganisationId;
  stream: StreamId;
  /** The Thread it belongs to; without it, the one at `threadPlace`; without either (or the place unknown), a new one. */
  thread?: ThreadId;
  /** The Thread's place outside. A Thread that is made gets it, a Thread that exists is found by it. */
  threadPlace?: { binding: BindingId; externalId: string };
  /** Who wrote it; null for a feed, a timer or the core. */
  author: WorkerId | null;
  sourceKind: SourceKind;
  message: Partial<Message> & Pick<Message, 'body'>;
  /** The Binding it came by: it is not sent back there. */
  cameBy?: BindingId;
  /** What the platform calls it: any of these seen before makes it a duplicate. Scoped to `cameBy`, else to the core. */
  receipts?: readonly string[];
  addressed?: readonly WorkerId[];
  addressedByName?: boolean;
  /** Stored and delivered, but wakes nobody. */
  silent?: boolean;
  hops?: number;
  origin?: EventId;
  activation?: ActivationId;
  /** Others who take part in the Thread from now on: a DM's other side. */
  participants?: readonly WorkerId[];
  /** Bindings that already show this Event as a draft: no second Delivery is made for them. */
  drafted?: readonly BindingId[];
  /** What has been found out about it a moment ago, for this Stream and Thread (find-place.ts): it is not asked again. */
  resolved?: FoundFacts;
  /** It is the reply of `activation`: where a draft of that shows it already, no second Delivery is made. */
  finishesDrafts?: boolean;
}

/** Facts about a Message, and when they were read (`performance.now()`). */
export interface FoundFacts {
  facts: Resolved;
  foundAt: number;
}

/** What became of a Message. For a duplicate: the Event it led to the first time, nothing woken, nothing delivered again. */
export interface Appended {
  event: EventId;
  stream: StreamId;
  streamKind: StreamKind;
  thread: ThreadId;
  position: number;
  duplicate: boolean;
  woken: WorkerId[];
  deliveries: { id: DeliveryId; binding: BindingId }[];
}
