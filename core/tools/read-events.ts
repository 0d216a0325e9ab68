import { activationStreamPrefix } from '../streams/activation-streams.ts';
import { readEvents as read } from '../streams/read-events.ts';
import { readTranscript } from '../streams/read-transcript.ts';
import { waitUntil } from '../streams/wait-until.ts';
import { dataNotOrders, reading, readRequest } from './event-arguments.ts';
import { readersOfAnswer } from './permission.ts';
import { count, exactly, idOf, maybe } from './tolerant.ts';
import { defineTool } from './tool.ts';

/** Reads Events, waiting for them if asked to. */
export const readEvents = defineTool({
  name: 'read_events',
  description:
    'Read what was said: in a stream, in one thread, or in all your streams, oldest first, the newest page if you say no "since". Only what everybody may read who reads your answer is shown. With "wait" it waits until there is something to show.',
  input: exactly({
    stream: maybe(idOf('s', 'stream')).describe('its id; left out: every stream you listen to or take part in'),
    thread: maybe(idOf('t', 'thread')).describe('its id: only this conversation'),
    ...reading,
    wait: maybe(count({ min: 0, max: 60 })).describe('seconds to wait for something new (0)'),
  }),
  idempotent: true,
  readOnly: true,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { stream, thread, since, limit, wait = 0 }) {
    const { core, organisation, signal } = context;
    const request = { ...readRequest(context, { since, limit }, stream), readers: readersOfAnswer(context) };
    const look = async () =>
      stream?.startsWith(activationStreamPrefix)
        ? await readTranscript(core.database, organisation, { ...request, stream })
        : await read(core.database, organisation, { ...request, stream, thread });
    const page = await waitUntil<Awaited<ReturnType<typeof look>>>(core.waking, look, {
      isDone: (seen) => seen.events.length > 0 || request.cursor?.kind === 'before',
      ms: wait * 1000,
      signal,
    });
    return { ...page, note: dataNotOrders };
  },
});
