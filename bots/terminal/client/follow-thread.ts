import { applyPatch } from '../text-patch.ts';
import { type EventFrame, frame, heartbeatMs, type WorkFrame } from '../wire.ts';
import { createBackOff } from './back-off.ts';
import { type Connection, CoreAway, Refused } from './connection.ts';
import { readServerSentEvents } from './read-server-sent-events.ts';

/** What a follower tells. */
export interface FollowerListener {
  /** Each Event once, in order. */
  event(event: EventFrame): void;
  /** The whole text of a reply so far. It may have changed anywhere. */
  draft(activation: string, text: string): void;
  work(work: WorkFrame): void;
  /** The connection was lost, or is there again. Told once for each change. */
  connected(is: boolean): void;
  /** The core will not have it, now or later. */
  refused(error: Refused): void;
}

/** Two heartbeats that did not come, and some. */
const silenceMs = 2.5 * heartbeatMs;

/**
 * Follows a Thread from a position on, over however many connections it takes: whenever one is lost it connects again and goes on
 * after the last Event that it has told of.
 *
 * @returns what ends it
 */
export function followThread(
  connection: Connection,
  thread: string,
  since: number,
  listener: FollowerListener,
): () => void {
  const stop = new AbortController();
  const backOff = createBackOff();
  let position = since;
  let connected = true;

  async function follow(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await connectOnce();
      } catch (error) {
        if (error instanceof Refused) {
          listener.refused(error);
          return;
        }
      }
      if (stop.signal.aborted) return;
      if (connected) listener.connected(false);
      connected = false;
      await backOff.wait(stop.signal);
    }
  }

  async function connectOnce(): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([stop.signal, ended.signal]);
    const drafts = new Map<string, string>();
    try {
      const body = await connection.stream(`/terminal/threads/${thread}/events?since=${position}`, signal);
      for await (const data of readServerSentEvents(body, silenceMs)) {
        if (stop.signal.aborted) return;
        const parsed = frame.safeParse(JSON.parse(data));
        if (!parsed.success) throw new CoreAway('the core said something that cannot be read');
        if (!connected) listener.connected(true);
        connected = true;
        backOff.reset();
        const told = parsed.data;
        if (told.kind === 'work') listener.work(told);
        else if (told.kind === 'draft') {
          const text = applyPatch(drafts.get(told.activation) ?? '', told);
          drafts.set(told.activation, text);
          listener.draft(told.activation, text);
        } else if (told.position > position) {
          position = told.position;
          listener.event(told);
        }
      }
    } finally {
      ended.abort();
    }
  }

  void follow();
  return () => stop.abort();
}
