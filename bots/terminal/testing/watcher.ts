import { readServerSentEvents } from '../client/read-server-sent-events.ts';
import { applyPatch } from '../text-patch.ts';
import { type EventFrame, type Frame, frame, type Work } from '../wire.ts';
import type { HouseCore } from './terminal-house.ts';

/** Somebody who watches a Thread over HTTP, and what they have seen by now. */
export interface Watcher extends AsyncDisposable {
  frames: Frame[];
  events(): EventFrame[];
  bodies(): string[];
  /** Every text that a draft has had. */
  drafts(): string[];
  working(): Work[] | undefined;
  /** The server has ended the stream. */
  ended(): boolean;
}

/** @throws Error with the status and the problem's detail when the door refuses */
export async function watch(core: HouseCore, token: string, thread: string, since = 0): Promise<Watcher> {
  const gone = new AbortController();
  const response = await fetch(`${core.url}/terminal/threads/${thread}/events?since=${since}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: gone.signal,
  });
  if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
  const frames: Frame[] = [];
  let ended = false;
  const reading = read(response.body, frames)
    .catch(() => undefined)
    .finally(() => {
      ended = true;
    });
  return {
    frames,
    events: () => frames.filter((each) => each.kind === 'event'),
    bodies: () => frames.flatMap((each) => (each.kind === 'event' ? each.body : [])),
    drafts: () => textsOf(frames),
    working: () => frames.findLast((each) => each.kind === 'work')?.working,
    ended: () => ended,
    async [Symbol.asyncDispose]() {
      gone.abort();
      await reading;
    },
  };
}

async function read(body: ReadableStream<Uint8Array>, frames: Frame[]): Promise<void> {
  for await (const data of readServerSentEvents(body, 30_000)) frames.push(frame.parse(JSON.parse(data)));
}

function textsOf(frames: readonly Frame[]): string[] {
  const texts = new Map<string, string>();
  return frames.flatMap((each) => {
    if (each.kind !== 'draft') return [];
    const text = applyPatch(texts.get(each.activation) ?? '', each);
    texts.set(each.activation, text);
    return [text];
  });
}
