import { applyPatch } from '../text-patch.ts';
import { type EventFrame, frame, heartbeatMs, type WorkFrame } from '../wire.ts';
import { createBackOff } from './back-off.ts';
import { type Connection, Refused } from './connection.ts';
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
      const ended = new AbortController();
      const frames = readFrames(connection, thread, position, AbortSignal.any([stop.signal, ended.signal]));
      try {
        // Outside of `frames`, nothing is caught: a defect of the listener is no lost connection.
        for (let next = await nextOf(frames); next && !stop.signal.aborted; next = await nextOf(frames)) tell(next);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        listener.refused(error);
        return;
      } finally {
        ended.abort();
      }
      if (stop.signal.aborted) return;
      if (connected) listener.connected(false);
      connected = false;
      await backOff.wait(stop.signal);
    }
  }

  function tell(told: Told): void {
    if (!connected) listener.connected(true);
    connected = true;
    backOff.reset();
    if (told.kind === 'work') listener.work(told);
    else if (told.kind === 'text') listener.draft(told.activation, told.text);
    else if (told.position > position) {
      position = told.position;
      listener.event(told);
    }
  }

  void follow();
  return () => stop.abort();
}

type Told = EventFrame | WorkFrame | { kind: 'text'; activation: string; text: string };

/** What one connection brings, until it ends: with the whole text of a draft where a patch of it came. */
async function* readFrames(
  connection: Connection,
  thread: string,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<Told> {
  const drafts = new Map<string, string>();
  const body = await connection.stream(`/terminal/threads/${thread}/events?since=${since}`, signal);
  for await (const data of readServerSentEvents(body, silenceMs)) {
    const told = frame.parse(JSON.parse(data));
    if (told.kind !== 'draft') {
      yield told;
      continue;
    }
    const text = applyPatch(drafts.get(told.activation) ?? '', told);
    drafts.set(told.activation, text);
    yield { kind: 'text', activation: told.activation, text };
  }
}

/** Undefined when the connection has ended, however it did. Throws Refused. */
async function nextOf(frames: AsyncGenerator<Told>): Promise<Told | undefined> {
  try {
    const { done, value } = await frames.next();
    return done ? undefined : value;
  } catch (error) {
    if (error instanceof Refused) throw error;
    return undefined;
  }
}
