import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Report } from '../drivers/driver.ts';
import { type EncoderName, encoderNames, type LocalEncoderName, localEncoderNames } from '../stream/streamer.ts';
import { encoderEnvironment } from './encoder-environment.ts';
import { soundEncoderName } from './sound-encoder.ts';

/** A driver that has encoded nothing by then hangs. */
const withinMs = 10_000;

const program = fileURLToPath(new URL('probe-encoder-process.ts', import.meta.url));
const probeResult = z.object({ works: z.boolean(), detail: z.string() });

/**
 * Tries each encoder with a real picture of 320×240, in a process of its own: what a build lists says nothing of the machine (a GPU of a
 * data centre lists NVENC and may have none). In the order in which they are preferred.
 */
export function probeEncoders(): Promise<Report[]> {
  return Promise.all(localEncoderNames.map(probeEncoder));
}

/** Tries the encoder of sound in the same way, with a piece of 20 ms. */
export function probeSoundEncoder(): Promise<Report> {
  return probeEncoder(soundEncoderName);
}

/** Those that work, the best first. */
export function workingEncoders(reports: readonly Report[]): EncoderName[] {
  return encoderNames.filter((name) => reports.some((report) => report.name === name && report.works));
}

/** The best that works, if any does. */
export function bestEncoder(reports: readonly Report[]): EncoderName | null {
  return workingEncoders(reports)[0] ?? null;
}

function probeEncoder(name: LocalEncoderName | typeof soundEncoderName): Promise<Report> {
  return new Promise((resolve) => {
    const child = fork(program, [name], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: encoderEnvironment(),
      execArgv: [],
    });
    const report = (works: boolean, detail: string) => {
      clearTimeout(late);
      resolve({ name, works, detail });
    };
    const late = setTimeout(() => {
      report(false, `it encoded nothing within ${withinMs / 1000} s`);
      child.kill('SIGKILL');
    }, withinMs);
    child.on('message', (message) => {
      const { works, detail } = probeResult.parse(message);
      report(works, detail);
    });
    child.on('error', (error) => report(false, `it could not be tried: ${error.message}`));
    child.on('exit', (code, signal) => report(false, `trying it ended its process (${signal ?? code})`));
  });
}
