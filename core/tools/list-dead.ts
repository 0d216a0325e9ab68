import { listDead as list } from '../dispatch/retry-dead.ts';
import { pageRequest, paging } from './paging.ts';
import { exactly, maybe, oneOf } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Lists what was given up. */
export const listDead = defineTool({
  name: 'list_dead',
  description:
    'List the activations and deliveries that were given up, the newest first, with the reason, the thread and the time. retry_dead tries one again.',
  input: exactly({ kind: maybe(oneOf('kind', ['activation', 'delivery'])).describe('only these'), ...paging }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: true,
  async run({ core, organisation }, { kind, ...page }) {
    const { cursor: from, limit } = pageRequest(page);
    const { items, cursor } = await list(core, organisation, {
      limit,
      ...(kind ? { kind } : {}),
      ...(from ? { cursor: from } : {}),
    });
    return { dead: items, cursor };
  },
});
