import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { WorkerMcp } from './worker-mcp.ts';

const Created = {
  role: z.object({ role: z.object({ id: z.string() }) }),
  position: z.object({ position: z.object({ id: z.string() }) }),
  stream: z.object({ stream: z.object({ id: z.string() }) }),
  worker: z.object({ worker: z.object({ id: z.string() }) }),
};

/** AI workers that all hear whatever is said in one stream. */
export type Talkers = { stream: string; workers: string[] };

/** Makes a role, a position and a stream, and hires an AI worker for each name that subscribes to all of that stream. */
export async function hireTalkers(owner: WorkerMcp, names: readonly string[]): Promise<Talkers> {
  const { role } = Created.role.parse(
    await owner.value('create_role', { title: 'Talker', content: 'You like to talk.' }),
  );
  const { stream } = Created.stream.parse(
    await owner.value('create_stream', { name: `Talk of ${names.join(' and ')}` }),
  );
  const workers: string[] = [];
  for (const name of names) {
    const { position } = Created.position.parse(
      await owner.value('create_position', { title: `Talker ${name}`, role: role.id, reportsTo: 'p-owner' }),
    );
    const hired = await owner.value('hire_worker', {
      name,
      kind: 'ai',
      position: position.id,
      identity: `You are ${name}.`,
      subscriptions: [{ stream: stream.id, mode: 'all' }],
    });
    workers.push(Created.worker.parse(hired).worker.id);
  }
  return { stream: stream.id, workers };
}

const Page = z.object({
  events: z.array(z.object({ id: z.string(), author: z.string().nullish(), sourceKind: z.string(), body: z.string() })),
});

/** What was said in a thread: by the agents, and by the core as notices. */
export type Exchange = { answers: number; authors: string[]; notices: string[] };

/** Reads a thread once nothing has been added to it for a second and a half. Throws an Error when it goes on for a minute. */
export async function readExchange(owner: WorkerMcp, stream: string, thread: string): Promise<Exchange> {
  let known = -1;
  for (let looks = 0; looks < 40; looks += 1) {
    const { events } = Page.parse(await owner.value('read_events', { stream, thread, limit: 100 }));
    if (events.length === known && known > 1) {
      const ai = events.filter((event) => event.sourceKind === 'ai');
      return {
        answers: ai.length,
        authors: [...new Set(ai.flatMap((event) => event.author ?? []))],
        notices: events.filter((event) => event.sourceKind === 'notice').map((event) => event.body),
      };
    }
    known = events.length;
    await sleep(1500);
  }
  throw new Error(`the exchange in ${thread} does not end: ${known} events`);
}
