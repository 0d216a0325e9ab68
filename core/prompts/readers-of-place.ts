import type { WorkerId } from '../store/ids.ts';
import { readersOf } from '../streams/who-may-read.ts';
import type { PromptContext } from './prompt.ts';

/** Everybody who will see the answer: who asked, and whoever reads the thread in which it was asked (design rule 12). */
export async function readersOfPlace({ core, organisation, worker, place }: PromptContext): Promise<WorkerId[]> {
  if (!place) return [worker];
  const rows = await core.database.query<{ worker: WorkerId }>(readersOf('$1', '$2'), [organisation, place.thread]);
  return [worker, ...rows.map((row) => row.worker).filter((other) => other !== worker)];
}
