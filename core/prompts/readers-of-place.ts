import type { WorkerId } from '../store/ids.ts';
import { readersOf } from '../streams/who-may-read.ts';
import type { PromptContext } from './prompt.ts';

/** Everybody who will see the answer: who asked, and whoever reads the thread in which it was asked (design rule 12). */
export async function readersOfPlace({ core, organisation, worker, place }: PromptContext): Promise<WorkerId[]> {
  if (!place) return [worker];
  const others = await readersOf(core.database, organisation, place.stream, place.thread);
  return [worker, ...others.filter((other) => other !== worker)];
}
