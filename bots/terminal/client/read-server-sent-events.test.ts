import { describe, expect, it } from 'vitest';
import { readServerSentEvents } from './read-server-sent-events.ts';

function bodyOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks)
        controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
      controller.close();
    },
  });
}

async function read(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  return await allOf(readServerSentEvents(bodyOf(...chunks), 1000));
}

async function allOf(events: AsyncGenerator<string>): Promise<string[]> {
  const all = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('reading Server-Sent Events', () => {
  it('gives the data of each, whatever stands between', async () => {
    expect(await read(': alive\n\ndata: one\n\nid: 7\nevent: x\ndata:two\n\n: alive\n\n')).toEqual(['one', 'two']);
  });

  it('does not mind where the network cuts', async () => {
    const whole = new TextEncoder().encode('data: {"text":"é › 日本 👍"}\r\n\r\ndata: b\n\n');
    for (let cut = 1; cut < whole.length; cut++)
      expect(await read(whole.slice(0, cut), whole.slice(cut)), `cut at ${cut}`).toEqual([
        '{"text":"é › 日本 👍"}',
        'b',
      ]);
  });

  it('gives nothing of an event that was broken off', async () => {
    expect(await read('data: whole\n\ndata: half')).toEqual(['whole']);
  });

  it('throws when nothing is heard any more', async () => {
    const silent = new ReadableStream<Uint8Array>({ start: () => undefined });
    await expect(allOf(readServerSentEvents(silent, 30))).rejects.toThrow('nothing was heard for 30 ms');
  });
});
