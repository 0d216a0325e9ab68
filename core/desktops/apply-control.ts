import type { Core } from '../core.ts';
import type { LaneKey } from '../dispatch/lane.ts';
import type { Transaction } from '../store/database.ts';
import type { PersonDid } from '../store/entities/desktops.ts';
import type { ActivationId, DesktopId, HostId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { appendWithin, lanesOf } from '../streams/append.ts';
import type { ControlReport } from './host-messages.ts';

/** So much of what a person did is kept for the agent, the latest. */
const stepsAtMost = 200;

interface Returned {
  organisation: OrganisationId;
  worker: WorkerId;
  workerName: string;
  helpThread: ThreadId | null;
  stream: StreamId | null;
  /** Null: who gave it back is no Worker here (any more). */
  person: WorkerId | null;
}

/**
 * Enters who has the input of a Desktop. When it is given back, its agent is told what was done, clicks and keys in words: one that
 * has asked for help and waits is woken by it, in the Thread where it asked; any other hears of it with its next tool result.
 */
export async function applyControl(
  core: Pick<Core, 'database' | 'waking'>,
  host: HostId,
  report: ControlReport,
): Promise<void> {
  const { desktop, generation, state, subject, name } = report;
  if (state === 'taken') {
    await core.database.query(
      `update desktop set controller = $4, last_used_at = now()
       where id = $1 and host = $2 and generation = $3 and desired = 'running'`,
      [desktop, host, generation, JSON.stringify({ subject, name })],
    );
    core.waking.announceDesktops();
    return;
  }
  const did: PersonDid = { name, steps: report.steps.slice(-stepsAtMost) };
  // Together: an agent that is no longer waited for and was not woken would wait for ever.
  const woken = await core.database.transaction(async (tx) => {
    const [returned] = await tx.query<Returned>(
      `update desktop d set controller = null, last_used_at = now(), help_thread = null, help_activation = null,
         person_did = case when d.help_thread is null then d.person_did || $4::jsonb else '[]' end
       from (select * from desktop where id = $1 and host = $2 and generation = $3 and desired = 'running' for update) before
       where d.organisation = before.organisation and d.id = before.id
       returning d.organisation, d.worker, (select w.name from worker w where w.organisation = d.organisation and w.id = d.worker) as "workerName",
         before.help_thread as "helpThread",
         (select t.stream from thread t where t.organisation = d.organisation and t.id = before.help_thread) as stream,
         (select w.id from worker w where w.organisation = d.organisation and w.id = $5 and w.dismissed_at is null) as person`,
      [desktop, host, generation, JSON.stringify([did]), subject],
    );
    return returned && (await wake(tx, returned, did, `${desktop}:${generation}`));
  });
  core.waking.announceDesktops();
  if (woken) core.waking.announceLanes(woken);
}

/** The person's own Event in the Thread: the agent goes on from it as from any answer. Gives the Lanes that have something to do then. */
async function wake(
  tx: Transaction,
  { organisation, worker, workerName, helpThread, stream, person }: Returned,
  did: PersonDid,
  about: string,
): Promise<LaneKey[]> {
  if (!helpThread || !stream) return [];
  const { thread, woken, deliveries } = await appendWithin(tx, {
    organisation,
    stream,
    thread: helpThread,
    author: person,
    sourceKind: person ? 'human' : 'system',
    message: {
      body: `${did.name} has given ${workerName}'s desktop back. ${saidOf(did)}`,
      extra: { desktopReturned: about },
    },
    addressed: [worker],
    addressedByName: true,
  });
  const bindings = deliveries.map(({ binding }) => binding);
  return lanesOf(organisation, thread, woken, bindings);
}

/** What was done, as a sentence and a list. */
export function saidOf({ steps }: PersonDid): string {
  if (steps.length === 0) return 'Nothing was done meanwhile.';
  return ['What was done meanwhile:', ...steps.map((step) => `- ${step}`)].join('\n');
}

/**
 * Takes what people did in a Desktop since its agent was told last: it is told once. An agent that is at work waits for no help, unless it is
 * the very Activation (`activation`) that has asked: models call several tools at once, and the last of them ends it.
 */
export async function takePersonDid(
  core: Pick<Core, 'database'>,
  organisation: OrganisationId,
  desktop: DesktopId,
  activation: ActivationId | null,
): Promise<PersonDid[]> {
  const [row] = await core.database.query<{ did: PersonDid[] }>(
    `update desktop d set person_did = '[]',
       help_thread = case when before.help_activation = $3 then before.help_thread end,
       help_activation = case when before.help_activation = $3 then before.help_activation end
     from (select * from desktop where organisation = $1 and id = $2 and (person_did <> '[]'
         or (help_thread is not null and help_activation is distinct from $3)) for update) before
     where d.organisation = before.organisation and d.id = before.id
     returning before.person_did as did`,
    [organisation, desktop, activation],
  );
  return row?.did ?? [];
}
