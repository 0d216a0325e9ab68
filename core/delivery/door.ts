import type { BindingId, DeliveryId, OrganisationId, ThreadId } from '../store/ids.ts';
import type { Event } from '../streams/message.ts';

/** A Delivery as its door sees it. */
export interface OutgoingDelivery {
  organisation: OrganisationId;
  id: DeliveryId;
  thread: ThreadId;
  binding: { id: BindingId; kind: string; externalId: string; config: Record<string, unknown> };
  /** The Thread's own place at this Binding (Slack ts, first Message-ID), null when it has none yet. */
  threadPlace: string | null;
  /** The finished Event; null while a draft is shown. */
  event: Event | null;
  /** What to show: the Event's body, or the draft's text so far. */
  text: string;
  /** The platform's id of the message that shows the draft: edit that one. Null: nothing has been sent yet. */
  externalId: string | null;
  /** When the Delivery was made. */
  createdAt: Date;
  /**
   * An earlier attempt may have reached the platform and its outcome is not known here: a process was lost, or a request failed.
   * Where the platform lets a door look for what it has sent, it looks before it sends again.
   */
  repeated: boolean;
}

/** What the platform said. `externalIds`: every other name the platform has for it; echoes are recognised by them. */
export interface Delivered {
  externalId: string;
  externalIds?: readonly string[];
}

/**
 * A bot's way out. `deliver` sends or edits one message; it may be called again for the same Delivery after a crash, so whatever
 * the platform offers to recognise a repeated message (a stable Message-ID) must be made from the Delivery's id.
 *
 * It throws OutsideUnavailable (core/dispatch/failure.ts) when the platform can't be reached or asks to wait, PermanentFailure when trying again
 * can't help, and anything else for an attempt that failed.
 */
export interface Door {
  readonly kind: string;
  /** True when a message can be edited after it was sent, so that a reply may be shown while it is written. */
  readonly drafts: boolean;
  deliver(delivery: OutgoingDelivery): Promise<Delivered>;
}
