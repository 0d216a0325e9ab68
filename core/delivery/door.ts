import type { BindingId, DeliveryId, OrganisationId, ThreadId } from '../store/ids.ts';
import type { Event } from '../streams/message.ts';

/** A Delivery as its door sees it. */
export interface OutgoingDelivery {
  organisation: OrganisationId;
  id: DeliveryId;
  thread: ThreadId;
  binding: { id: BindingId; kind: string; externalId: string; config: Record<string, unknown> };
  /** What a message needs beside its text. */
  caption: Caption;
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
  /** A Desktop to show with the text, which does not hold its links: the door shows them in its own way. */
  card?: DesktopCard;
  /** Files to send along, such as a clip. They are no longer among the Event's attachments. */
  files?: readonly OutgoingFile[];
}

/** What a message needs beside its text. */
export interface Caption {
  /**
   * Who says it, where it is somebody else than readers expect: not the Stream's default Worker. In a chat all Workers speak through
   * one bot, and the platform shows that bot's name.
   */
  speaker: string | null;
  /** It is the answer to `help`. */
  help: boolean;
}

/** A Desktop in a message. It is made when the message is sent: its links are signed, and are stored nowhere. */
export interface DesktopCard {
  /** Such as "Assistant's desktop". */
  title: string;
  /** Opens it to watch; anybody who reads the message may. */
  watchUrl: string;
  /** Opens it to control: only in a message that reaches the one person it was made for, and nobody else. */
  controlUrl?: string;
  /** The screen at this moment, a JPEG of at most 640 pixels' width; null when there is none yet. */
  still: { data: Buffer; width: number; height: number } | null;
  /** Whether to offer a button by which a reader asks for a personal link to control (they may also say `control`). */
  offersControl: boolean;
}

/** A file of a message on its way out. */
export interface OutgoingFile {
  name: string;
  /** Its media type. */
  type: string;
  data: Buffer;
  /**
   * Opens it in a browser, for a day at most: to be shown, to who reads the message alone, where the file itself cannot be sent. It is
   * signed for this once and stored nowhere.
   */
  url?: string;
}

/** Something for the eyes of one person, in a place that others read too. */
export interface PrivateAnswer {
  organisation: OrganisationId;
  binding: { id: BindingId; kind: string; externalId: string; config: Record<string, unknown> };
  threadPlace: string | null;
  /** The person's id on the platform, as it stands in their Identity. */
  person: string;
  text: string;
  card?: DesktopCard;
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
  /**
   * Shows something to one person alone, at once or never: it is stored nowhere and not tried again (the person can ask again). Throws
   * as `deliver` does. A door that has it shows {@link DesktopCard}s itself. A door whose every message reaches one person alone, as mail does, has none: there the answer is a Delivery.
   */
  tellAlone?(answer: PrivateAnswer): Promise<void>;
}
