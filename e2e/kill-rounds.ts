import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedUrl } from './database.ts';
import type { MeasuredRun } from './measured-run.ts';
import type { Core } from './processes.ts';
import { shuffled } from './seeded-random.ts';
import { countInFlight } from './stored-mail.ts';

/** What a SIGKILL falls on: the core alone, or its embedded PostgreSQL too. */
export type KillKind = 'everything' | 'core';

/** How {@link killRounds} goes about it. */
export type KillRounds = {
  core: Core;
  /** Starts the next core on the same data and ports, without waiting until it is ready. */
  restart(): Promise<Core>;
  kills: number;
  /** Seconds between a start and the next kill. A lease that was lost is waited for, up to 15 s, before there is work again. */
  gap: { from: number; to: number };
  random: () => number;
  /** How far the work is, for the line that is printed at each kill. */
  progress(): string;
  /** At the begin of each gap, the first is 0. */
  beforeGap?(round: number): void;
  /** Just before the kill, and when the next core is ready; `pid` is that of the one killed. */
  around?(url: string, pid: number): Promise<void>;
};

/** What a core takes to be ready again after a SIGKILL, about; the gap begins after it. */
const readyAgainMs = 1500;

/** How long all rounds take together, about: whoever sends meanwhile spreads it over so long, so that the last kills meet work too. */
export function lengthOfRoundsMs({ gap, kills }: Pick<KillRounds, 'gap' | 'kills'>): number {
  return kills * (((gap.from + gap.to) / 2) * 1000 + readyAgainMs);
}

/**
 * Random gaps in seconds, one out of each of as many equal parts of the range as there are kills: as uneven as they would be anyway, but
 * together always about as long.
 */
function gapsOf({ gap, kills, random }: Pick<KillRounds, 'gap' | 'kills' | 'random'>): number[] {
  const parts = Array.from({ length: kills }, (_, part) => part);
  return shuffled(parts, random).map((part) => gap.from + ((part + random()) / kills) * (gap.to - gap.from));
}

/**
 * Kills a core again and again, half the times with its database, and starts it anew. Gives the last core, and how many of the kills
 * met work in flight.
 */
export async function killRounds(run: MeasuredRun, rounds: KillRounds): Promise<{ core: Core; whileBusy: number }> {
  const { random } = rounds;
  let { core } = rounds;
  let whileBusy = 0;
  const kinds = Array.from({ length: rounds.kills }, (_, n): KillKind => (n % 2 === 0 ? 'everything' : 'core'));
  const gaps = gapsOf(rounds);
  for (const [n, kind] of shuffled(kinds, random).entries()) {
    rounds.beforeGap?.(n);
    await sleep((gaps[n] ?? 0) * 1000, undefined, { signal: run.signal });
    const url = await embeddedUrl(core.dataDirectory);
    const held = await countInFlight(url, core.pid);
    if (held.activations + held.deliveries > 0) whileBusy += 1;
    await rounds.around?.(url, core.pid);
    await kill(core, kind);
    const progress = rounds.progress();
    const { pid, dataDirectory } = core;
    const again = performance.now();
    core = await rounds.restart();
    await core.waitReady();
    const ms = Math.round(performance.now() - again);
    await rounds.around?.(await embeddedUrl(dataDirectory), pid);
    run.say(
      `kill ${String(n + 1).padStart(2)}: ${kind === 'core' ? 'the core alone           ' : 'everything and PostgreSQL'}  ` +
        `in flight: ${held.activations} activations, ${held.deliveries} deliveries;  so far ${progress};  ready again in ${ms} ms`,
    );
  }
  return { core, whileBusy };
}

async function kill(core: Core, kind: KillKind): Promise<void> {
  if (kind === 'everything') return core.killEverything();
  core.kill('SIGKILL');
  await core.exited;
}
