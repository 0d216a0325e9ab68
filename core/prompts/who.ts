import { InvalidInputError } from '../errors.ts';
import type { StreamId, WorkerId } from '../store/ids.ts';
import { type StreamMember, streamMembers } from '../streams/streams.ts';
import type { AnswerPrompt, PromptContext } from './prompt.ts';
import { readersOfPlace } from './readers-of-place.ts';

/** Says who listens where it is asked. */
export const who: AnswerPrompt = {
  kind: 'answer',
  name: 'who',
  title: 'Who listens',
  description: 'who listens in this thread',
  argument: { name: 'stream', description: 'another stream, by its id', required: false },
  needsTool: 'stream_members',
  isMeant: (argument) => argument === '',
  async answer(context, argument) {
    const { core, organisation, place } = context;
    const stream = argument ? streamId(argument) : place?.stream;
    if (!stream) throw new InvalidInputError('say which stream: /who s-general');
    const readers = await readersOfPlace(context);
    const { items, cursor } = await streamMembers(core.database, organisation, readers, stream, { limit: 50 });
    const taking = stream === place?.stream ? await participants(context) : [];
    const muted = stream === place?.stream && (await isMuted(context));
    const members = items.map((member) => `- ${describe(member)}`);
    const others = taking
      .filter(({ id }) => !items.some((member) => member.worker === id))
      .map(({ id, name }) => `- ${name} (${id}): takes part in this thread`);
    const lines = [...members, ...others];
    if (lines.length === 0) return `Nobody listens to ${stream}.`;
    return [
      `In ${stream} listen:`,
      ...lines,
      ...(cursor ? ['- … and more (stream_members lists all)'] : []),
      ...(muted ? ['', 'This thread is muted: agents stay quiet until somebody says `unmute`.'] : []),
    ].join('\n');
  },
};

function describe({ worker, name, kind, mode, defaultWorker }: StreamMember): string {
  const hears = mode === 'all' ? 'everything' : 'when addressed, and threads it takes part in';
  const says = defaultWorker ? '; answers when nobody is addressed' : '';
  return `${name} (${worker}, ${kind === 'ai' ? 'AI' : 'person'}): ${mode ? hears : 'not subscribed'}${says}`;
}

function streamId(text: string): StreamId {
  return text.startsWith('s-') ? (text as StreamId) : `s-${text}`;
}

async function participants({ core, organisation, place }: PromptContext): Promise<{ id: WorkerId; name: string }[]> {
  return await core.database.query<{ id: WorkerId; name: string }>(
    `select w.id, w.name from participant p join worker w on w.organisation = p.organisation and w.id = p.worker
     where p.organisation = $1 and p.thread = $2 and w.dismissed_at is null order by w.id`,
    [organisation, place?.thread ?? null],
  );
}

async function isMuted({ core, organisation, place }: PromptContext): Promise<boolean> {
  const rows = await core.database.query(
    `select 1 from thread where organisation = $1 and id = $2 and muted_at is not null`,
    [organisation, place?.thread ?? null],
  );
  return rows.length > 0;
}
