import express from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Listening, listen } from '../../../core/http/listen.ts';
import { openEventStream } from './event-stream.ts';
import type { FrameSink } from './watch-thread.ts';

let listening: Listening | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await listening?.close(0);
});

/** A server of one stream, and somebody who reads it. */
async function open() {
  const told: string[] = [];
  const { promise: opened, resolve } = Promise.withResolvers<FrameSink>();
  const app = express();
  app.get('/', (request, response) => {
    resolve(
      openEventStream(request, response, { drained: () => told.push('drained'), closed: () => told.push('closed') }),
    );
  });
  listening = await listen(app, { host: '127.0.0.1', port: 0 });
  const gone = new AbortController();
  const response = await fetch(listening.url, { signal: gone.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) throw new Error('the answer has no body');
  return { sink: await opened, told, response, reader, gone };
}

describe('a stream of frames', () => {
  it('says what it is, so that no proxy keeps or buffers it', async () => {
    const { response } = await open();
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
  });

  it('beats every 15 s', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { reader } = await open();
    vi.advanceTimersByTime(15_000);
    expect((await reader.read()).value).toBe(': alive\n\n');
  });

  it('sends a frame as one event, line ends and all', async () => {
    const { sink, reader } = await open();
    sink.send({ kind: 'draft', activation: 'a-1', at: 0, text: 'two\nlines' });
    expect((await reader.read()).value).toBe(
      'data: {"kind":"draft","activation":"a-1","at":0,"text":"two\\nlines"}\n\n',
    );
  });

  it('knows that its reader is behind, and tells when it has caught up', async () => {
    const { sink, reader, told } = await open();
    expect(sink.isBehind()).toBe(false);
    const text = 'x'.repeat(1024 * 1024);
    for (let i = 0; i < 16 && !sink.isBehind(); i++) sink.send({ kind: 'draft', activation: 'a-1', at: 0, text });
    expect(sink.isBehind()).toBe(true);
    while (!told.includes('drained')) await reader.read();
    expect(sink.isBehind()).toBe(false);
  });

  it('tells once that the reader has gone, and takes what is still sent without a word', async () => {
    const { sink, gone, told } = await open();
    gone.abort();
    await expect.poll(() => told).toEqual(['closed']);
    sink.send({ kind: 'draft', activation: 'a-1', at: 0, text: 'too late' });
    sink.end();
    expect(told).toEqual(['closed']);
  });
});
