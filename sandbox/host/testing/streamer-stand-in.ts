import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Streamer, StreamerListener, StreamerOptions, ViewerDial } from '../../stream/streamer.ts';

/** A streamer without pictures: a process that sleeps, so that it can be killed, and a record of what it was told. */
export interface StreamerStandIn extends Streamer {
  readonly options: StreamerOptions;
  readonly listener: StreamerListener;
  readonly told: string[];
  readonly dials: ViewerDial[];
}

/** Starts such streamers, and remembers them. */
export function streamerStandIns(): {
  started: StreamerStandIn[];
  start(options: StreamerOptions, listener: StreamerListener): Promise<StreamerStandIn>;
} {
  const started: StreamerStandIn[] = [];
  return {
    started,
    async start(options, listener) {
      const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
      await once(child, 'spawn');
      const over = once(child, 'exit').then(([code, signal]) => `exit ${code ?? signal}`);
      const told: string[] = [];
      const dials: ViewerDial[] = [];
      const streamer: StreamerStandIn = {
        pid: child.pid ?? 0,
        options,
        listener,
        told,
        dials,
        dial: (viewer) => void dials.push(viewer),
        still: async ({ unless }) => ({
          serial: 7,
          width: 640,
          height: 480,
          data: unless === 7 ? undefined : Buffer.from('a picture'),
        }),
        act: async (steps) => {
          told.push(`act ${steps.map((step) => step.do).join(' ')}`);
          await new Promise((resolve) => setTimeout(resolve, 20));
          told.push('acted');
        },
        setController: (controller) =>
          void told.push(`controller ${controller?.name ?? 'nobody'} ${controller?.viewer ?? ''}`),
        resize: async (width, height) => {
          told.push(`resize ${width}x${height}`);
        },
        record: (activation) => void told.push(`record ${activation}`),
        clip: async () => Buffer.from('a clip'),
        ended: over,
        async stop() {
          child.kill('SIGKILL');
          await over;
        },
      };
      started.push(streamer);
      return streamer;
    },
  };
}
