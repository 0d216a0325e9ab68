import x11 from 'x11';
import { predefinedAtom } from './atoms.ts';
import { type XConnection, XLostError, XRequestError } from './connect.ts';
import { queueEvents } from './next-event.ts';

/** Atoms that answering takes. */
export interface OfferAtoms {
  TARGETS: number;
  TIMESTAMP: number;
  INCR: number;
  UTF8_STRING: number;
  TEXT: number;
  'text/plain': number;
  'text/plain;charset=utf-8': number;
}

/** Text that programs get when they paste. */
export interface Offer {
  /** Takes the selections, so that every program's paste is this text from now on. */
  set(text: string): Promise<void>;
  /** Called after the text has been given to a program. Returns what ends it. */
  onServed(listener: () => void): () => void;
  stop(): void;
}

/** A request of the core protocol holds 256 KB; more than this goes in pieces, as ICCCM 2.7.2 wants it for what is large. */
const pieceBytes = 64 * 1024;
/** A program that does not fetch the next piece by then has given up. */
const pieceWithinMs = 5000;

/**
 * Offers text as the owner of selections (ICCCM 2.1 to 2.3).
 *
 * @param window one of ours that gets PropertyChange events
 */
export function createOffer(x: XConnection, window: number, selections: readonly number[], atoms: OfferAtoms): Offer {
  const listeners = new Set<() => void>();
  let offered: { text: string; data: Buffer; since: number } | undefined;

  const texts = [atoms.UTF8_STRING, atoms.TEXT, atoms['text/plain'], atoms['text/plain;charset=utf-8']];

  const stop = x.onEvent((event) => {
    if (event.name === 'SelectionRequest' && event.owner === window) void answer(event);
  });

  /** ICCCM wants the server's time, not "now", in SetSelectionOwner: an empty change of a property tells it. */
  async function serverTime(): Promise<number> {
    const changes = queueEvents(x, (event): event is NewValue => isChange(event, window, 0));
    x.client.ChangeProperty(2, window, atoms.TIMESTAMP, predefinedAtom.integer, 32, Buffer.alloc(0));
    const change = await changes.next(pieceWithinMs);
    changes.stop();
    if (!change) throw new XLostError('the X server does not say what time it has');
    return change.time;
  }

  async function answer(request: SelectionRequest): Promise<void> {
    const property = request.property || request.target;
    try {
      const given = await give(request.requestor, property, request.target, () => notify(request, property));
      if (!given) await notify(request, 0);
      else if (texts.includes(request.target) || request.target === predefinedAtom.string)
        for (const listener of listeners) listener();
    } catch (error) {
      // The program that asked has gone, or the whole server; the latter is told by `lost`.
      if (!(error instanceof XRequestError || error instanceof XLostError)) throw error;
    }
  }

  function notify(request: SelectionRequest, property: number): Promise<void> {
    const { requestor, selection, target, time } = request;
    const event = { name: 'SelectionNotify', requestor, selection, target, property, time, seq: 0 };
    return x.ask((reply) => x.client.SendEvent(requestor, 0, 0, event, reply));
  }

  /** Puts what is wanted onto the requestor's window. False: it is nothing that we have. */
  async function give(to: number, property: number, target: number, ready: () => Promise<void>): Promise<boolean> {
    if (!offered) return false;
    const { text, data, since } = offered;
    const isLatin = /^[\t\n\r\x20-\x7e\xa0-\xff]*$/.test(text);
    if (target === atoms.TARGETS) {
      const targets = [atoms.TARGETS, atoms.TIMESTAMP, ...texts, ...(isLatin ? [predefinedAtom.string] : [])];
      await put(to, property, predefinedAtom.atom, 32, targets);
    } else if (target === atoms.TIMESTAMP) {
      await put(to, property, predefinedAtom.integer, 32, [since]);
    } else if (target === predefinedAtom.string && isLatin) {
      return giveText(to, property, target, Buffer.from(text, 'latin1'), ready);
    } else if (texts.includes(target)) {
      return giveText(to, property, target === atoms.TEXT ? atoms.UTF8_STRING : target, data, ready);
    } else return false;
    await ready();
    return true;
  }

  function put(to: number, property: number, type: number, format: 8 | 32, data: Buffer | number[]): Promise<void> {
    return x.ask((reply) => x.client.ChangeProperty(0, to, property, type, format, data, reply));
  }

  async function giveText(
    to: number,
    property: number,
    type: number,
    data: Buffer,
    ready: () => Promise<void>,
  ): Promise<boolean> {
    if (data.length <= pieceBytes) {
      await put(to, property, type, 8, data);
      await ready();
      return true;
    }
    const removals = queueEvents(x, (event): event is NewValue => isChange(event, to, 1) && event.atom === property);
    try {
      const values = { eventMask: x11.eventMask.PropertyChange };
      await x.ask<void>((reply) => x.client.ChangeWindowAttributes(to, values, reply));
      await put(to, property, atoms.INCR, 32, [data.length]);
      await ready();
      for (let at = 0; ; at += pieceBytes) {
        if (!(await removals.next(pieceWithinMs))) return true;
        await put(to, property, type, 8, data.subarray(at, at + pieceBytes));
        if (at >= data.length) return true;
      }
    } finally {
      removals.stop();
      await x.ask<void>((reply) => x.client.ChangeWindowAttributes(to, { eventMask: 0 }, reply));
    }
  }

  return {
    set: async (text) => {
      const since = await serverTime();
      offered = { text, data: Buffer.from(text, 'utf8'), since };
      for (const selection of selections) x.client.SetSelectionOwner(window, selection, since);
      await x.settled();
    },
    onServed: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    stop,
  };
}

type SelectionRequest = Extract<x11.Event, { name: 'SelectionRequest' }>;
type NewValue = Extract<x11.Event, { name: 'PropertyNotify' }>;

/** @param state 0 it has a new value, 1 it was removed */
function isChange(event: x11.Event, window: number, state: number): event is NewValue {
  return event.name === 'PropertyNotify' && event.wid === window && event.state === state;
}
