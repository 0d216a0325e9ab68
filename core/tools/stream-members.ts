import { streamMembers as members } from '../streams/streams.ts';
import { pageRequest, paging } from './paging.ts';
import { readersOfAnswer } from './permission.ts';
import { exactly, idOf } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Lists who listens to a Stream. */
export const streamMembers = defineTool({
  name: 'stream_members',
  description:
    'List who is subscribed to a stream, how, and who is its default worker (asked when nobody is addressed).',
  input: exactly({ stream: idOf('s', 'stream'), ...paging }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { stream, ...page }) {
    const { core, organisation } = context;
    const readers = readersOfAnswer(context);
    const { items, cursor } = await members(core.database, organisation, readers, stream, pageRequest(page));
    return { stream, members: items, cursor };
  },
});
