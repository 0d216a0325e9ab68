import x11 from 'x11';
import type { XConnection } from './connect.ts';
import { queueEvents } from './next-event.ts';

/** What another program has selected or copied. */
export type Fetched = { kind: 'data'; data: Buffer } | { kind: 'none' } | { kind: 'too_large' };

export interface FetchRequest {
  selection: number;
  /** As what: the atom of UTF8_STRING, for one. */
  target: number;
  /** The atom of INCR, by which an owner says that it comes in pieces. */
  incr: number;
  bytesAtMost: number;
}

/** An owner that has not answered by then, or not gone on, is hung. */
const withinMs = 2000;
const anyType = 0;

/**
 * Asks the owner of a selection for it (ICCCM 2.4, 2.7.2). The window that it is asked for with is made for this once: an owner that
 * is slow, or that is not listened to any more, cannot write into what is asked for next.
 */
export async function fetchSelection(x: XConnection, request: FetchRequest): Promise<Fetched> {
  const window = x.client.AllocID();
  const values = { eventMask: x11.eventMask.PropertyChange };
  x.client.CreateWindow(window, x.root, 0, 0, 1, 1, 0, 0, 0, 0, values);
  const answers = queueEvents(x, (event) => isAnswer(event, window));
  const pieces = queueEvents(x, (event) => isNewValue(event, window));
  const read = (remove: boolean) =>
    x.ask<x11.Property>((reply) =>
      x.client.GetProperty(remove ? 1 : 0, window, request.target, anyType, 0, request.bytesAtMost / 4, reply),
    );

  async function inPieces(): Promise<Fetched> {
    const received: Buffer[] = [];
    let length = 0;
    for (;;) {
      const piece = await pieces.next(withinMs);
      if (!piece) return { kind: 'none' };
      const { data, bytesAfter } = await read(true);
      length += data.length;
      if (length > request.bytesAtMost || bytesAfter > 0) return { kind: 'too_large' };
      if (data.length === 0) return { kind: 'data', data: Buffer.concat(received) };
      received.push(data);
    }
  }

  try {
    // The property that it is put into has the target's name, as good as any on a window of our own.
    x.client.ConvertSelection(window, request.selection, request.target, request.target, 0);
    const answer = await answers.next(withinMs);
    if (!answer || answer.property === 0) return { kind: 'none' };
    // The property's first value is the answer itself; its removal asks for the first piece.
    await pieces.next(0);
    const { type, data, bytesAfter } = await read(true);
    if (type === request.incr) return await inPieces();
    return bytesAfter > 0 ? { kind: 'too_large' } : { kind: 'data', data };
  } finally {
    answers.stop();
    pieces.stop();
    x.client.DestroyWindow(window);
  }
}

type Answer = Extract<x11.Event, { name: 'SelectionNotify'; requestor: number }>;
type NewValue = Extract<x11.Event, { name: 'PropertyNotify' }>;

function isAnswer(event: x11.Event, window: number): event is Answer {
  return event.name === 'SelectionNotify' && event.subtype === undefined && event.requestor === window;
}

function isNewValue(event: x11.Event, window: number): event is NewValue {
  return event.name === 'PropertyNotify' && event.wid === window && event.state === 0;
}
