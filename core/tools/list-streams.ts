import { listStreams as list } from '../streams/streams.ts';
import { pageRequest, paging } from './paging.ts';
import { readersOfAnswer } from './permission.ts';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Lists the Streams that everybody who reads the answer may know of. */
export const listStreams = defineTool({
  name: 'list_streams',
  description:
    'List the streams that you are subscribed to or take part in (and, if you may make or join streams, every channel), with their places outside such as mail aliases.',
  input: exactly(paging),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, input) {
    const { core, organisation } = context;
    const { items, cursor } = await list(core.database, organisation, readersOfAnswer(context), pageRequest(input));
    return { streams: items, cursor };
  },
});
