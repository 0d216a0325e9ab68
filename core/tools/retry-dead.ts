import { z } from 'zod';
import { retryDead as retry } from '../dispatch/retry-dead.ts';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Tries again what was given up: a person's decision, so those on whose behalf it is called need the grant. */
export const retryDead = defineTool({
  name: 'retry_dead',
  description:
    'Try an activation ("a-…") or a delivery ("d-…") that was given up again, with its attempts counted from nothing.',
  input: exactly({ id: z.string().trim().min(1).max(100).describe('as list_dead says it') }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation }, { id }) {
    return { retried: await retry(core, organisation, id) };
  },
});
