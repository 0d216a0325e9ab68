import { z } from 'zod';
import { hireWorker as hire } from '../organisation/hire-worker.ts';
import { requireMayGive } from './permission.ts';
import { exactly, idOf, listOf, maybe, objectOr, oneOf, text } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { toolNames } from './tool-names.ts';

const stream = idOf('s', 'stream');
const mode = oneOf('subscription mode', ['all', 'mentions']);

/** Takes on a Worker. */
export const hireWorker = defineTool({
  name: 'hire_worker',
  description:
    'Hire a worker, human or AI, for a position, with everything it needs: its grants (the tools it may use) and its subscriptions (the streams it listens to). An AI without a subscription is woken by direct messages only.',
  input: exactly({
    name: text(64).describe('what people call it; nobody else may have this name'),
    kind: oneOf('worker kind', ['human', 'ai']),
    position: idOf('p', 'position').describe('the id of the position it sits in'),
    identity: maybe(z.string().max(100_000)).describe('who it is, markdown, apart from what its role says'),
    grants: maybe(listOf(oneOf('tool', toolNames), { max: toolNames.length })).describe('the tools it may use'),
    subscriptions: maybe(
      listOf(
        objectOr(exactly({ stream, mode: maybe(mode) }), stream, (id) => ({ stream: id })),
        { max: 100 },
      ),
    ).describe(
      'the streams it listens to, and how: "all" wakes an AI at every message, "mentions" only when it is addressed or takes part in the thread; "all" if left out',
    ),
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run(context, input) {
    const { core, organisation, worker } = context;
    const grants = input.grants ?? [];
    await requireMayGive(context, grants);
    const subscriptions = (input.subscriptions ?? []).map(({ stream, mode }) => ({ stream, mode: mode ?? 'all' }));
    const { name, kind, position, identity = '' } = input;
    const hired = await hire(core.database, organisation, {
      name,
      kind,
      position,
      identity,
      grants,
      subscriptions,
      hiredBy: worker,
    });
    const halfHired = kind === 'ai' && subscriptions.length === 0;
    return {
      worker: hired,
      ...(halfHired ? { hint: `${hired.name} listens nowhere: invite_workers subscribes it to a stream` } : {}),
    };
  },
});
