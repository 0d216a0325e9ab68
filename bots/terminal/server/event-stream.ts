import type { Request, Response } from 'express';
import { type Frame, heartbeatMs } from '../wire.ts';
import type { FrameSink } from './watch-thread.ts';

/**
 * Answers with Server-Sent Events (WHATWG HTML §9.2), a frame each, and a comment every 15 s.
 *
 * @param on `drained`: the reader has caught up; `closed`: it has gone, or `end()` was called
 */
export function openEventStream(
  request: Request,
  response: Response,
  on: { drained(): void; closed(): void },
): FrameSink {
  response.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    // nginx would hold frames back until its buffer is full
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  request.socket.setNoDelay(true);
  const heart = setInterval(() => response.write(': alive\n\n'), heartbeatMs);
  response.on('drain', on.drained);
  response.once('close', () => {
    clearInterval(heart);
    on.closed();
  });
  // A write after the reader has gone is an error that says nothing new: 'close' follows.
  response.on('error', () => undefined);
  return {
    send(frame: Frame) {
      if (!response.writableEnded) response.write(`data: ${JSON.stringify(frame)}\n\n`);
    },
    isBehind: () => response.writableNeedDrain,
    end: () => void response.end(),
  };
}
