import { getStream as get } from '../streams/streams.ts';
import { readersOfAnswer } from './permission.ts';
import { exactly, idOf, maybe, theId } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Shows one Stream. */
export const getStream = defineTool({
  name: 'get_stream',
  description: 'Read about one stream: its name, description, kind, default worker and places outside.',
  input: exactly({
    id: maybe(idOf('s', 'stream')).describe('its id'),
    stream: maybe(idOf('s', 'stream')).describe('the same as id'),
  }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { id, stream }) {
    const { core, organisation } = context;
    return { stream: await get(core.database, organisation, readersOfAnswer(context), theId(id, stream)) };
  },
});
