import { writeFile } from 'node:fs';
import { loadNodeAv } from '../encode/node-av.ts';
import { createDesktopStreamer, type DesktopStreamer } from './desktop-streamer.ts';
import { InputRefusedError, NothingRecordedError, type StreamerOptions } from './streamer.ts';
import type { Answer, FromStreamer, Question, RefusalKind, ToStreamer } from './streamer-messages.ts';

/**
 * The process that captures, encodes and sends one Desktop's screen: start-streamer.ts forks it. It holds the screen's cookie and
 * viewers' tickets, and what is typed goes through it: it writes to no log, and tells the host what belongs there.
 */

let streamer: DesktopStreamer | undefined;

function tell(message: FromStreamer): void {
  if (process.connected) process.send?.(message);
}

function end(reason: string): void {
  if (!process.connected) process.exit(1);
  process.send?.({ type: 'failed', reason } satisfies FromStreamer, () => process.exit(1));
}

async function start(options: StreamerOptions): Promise<void> {
  streamer = await createDesktopStreamer(options, {
    viewers: (people) => tell({ type: 'viewers', people }),
    controlAsked: (person) => tell({ type: 'control_asked', person }),
    controlReleased: (person) => tell({ type: 'control_released', person }),
    personDid: (steps) => tell({ type: 'person_did', steps }),
    resized: (width, height) => tell({ type: 'resized', width, height }),
    encoding: (state) => tell({ type: 'encoding', state }),
    trouble: (what) => tell({ type: 'trouble', what }),
  });
  void streamer.lost.then((error) => end(error.message));
  tell({ type: 'ready' });
}

async function answer(asked: DesktopStreamer, question: Question): Promise<Answer> {
  switch (question.method) {
    case 'still':
      return asked.still(question.request);
    case 'act':
      await asked.act(question.steps);
      return undefined;
    case 'resize':
      await asked.resize(question.width, question.height);
      return undefined;
    case 'clip':
      return asked.clip(question.seconds);
  }
}

function kindOf(error: unknown): RefusalKind {
  if (error instanceof InputRefusedError) return 'input_refused';
  return error instanceof NothingRecordedError ? 'nothing_recorded' : 'failed';
}

async function obey(message: ToStreamer): Promise<void> {
  if (message.type === 'start') return start(message.options);
  if (message.type === 'stop') {
    await streamer?.stop();
    process.exit(0);
  }
  if (!streamer) throw new Error(`"${message.type}" came before the streamer was ready`);
  switch (message.type) {
    case 'dial':
      return streamer.dial(message.viewer);
    case 'controller':
      return streamer.setController(message.controller);
    case 'record':
      return streamer.record(message.activation);
    case 'ask':
      try {
        const given = await answer(streamer, message.question);
        tell({ type: 'answer', id: message.id, answer: given });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        tell({ type: 'refused', id: message.id, kind: kindOf(error), message: text });
      }
  }
}

function because(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// A spare one uses the time until it is needed. What is wrong with the encoder is told when it is wanted.
if (process.argv[2] === 'encodes') loadNodeAv().catch(() => undefined);
// The kernel ends this before the host or the core when memory is short: it is replaced within a second (proc(5), oom_score_adj).
writeFile('/proc/self/oom_score_adj', '500', () => undefined);

process.on('message', (message) => {
  obey(message as ToStreamer).catch((error) => end(because(error)));
});
process.on('uncaughtException', (error) => end(because(error)));
// The host is gone: there is nobody left to stream for.
process.on('disconnect', () => process.exit(0));
// Ctrl+C in a terminal reaches the whole group: the host ends its streamers in its own order.
process.on('SIGINT', () => undefined);
