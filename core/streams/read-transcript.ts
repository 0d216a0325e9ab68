import { ForbiddenError } from '../errors.ts';
import type { Executor } from '../store/database.ts';
import type { ActivationId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import { type EventCursor, encodeCursor } from './event-cursor.ts';
import { unknownStream } from './streams.ts';
import { readableBy } from './who-may-read.ts';

/** One step of an Activation, as an Event of the Worker's activation Stream. */
export interface TranscriptEvent {
  /** `a-…/3`: the Activation and the step's number in it. */
  id: string;
  stream: StreamId;
  position: number;
  at: string;
  activation: ActivationId;
  /** The Thread that the Activation answers. */
  thread: ThreadId;
  kind: 'start' | 'text' | 'tool_call' | 'tool_result' | 'end';
  body: string;
  usage?: { inputTokens: number; outputTokens: number };
  /** Somebody who would see this may not read the Thread: only that it happened is shown. */
  withheld?: true;
}

/** Some steps, oldest first. */
export interface TranscriptPage {
  cursor: string;
  earlier?: string;
  more: boolean;
  events: TranscriptEvent[];
}

/** What is shown of one step at most, in characters. */
const longestBody = 4000;

interface StepRow {
  activation: ActivationId;
  number: number;
  position: number;
  at: string;
  thread: ThreadId;
  kind: TranscriptEvent['kind'];
  content: Record<string, unknown>;
  usage: { inputTokens: number; outputTokens: number } | null;
  readable: boolean;
}

/**
 * Reads the transcript of a Worker's Activations: a view of their stored steps. All `readers` must be subscribed to the activation
 * Stream; and the content of a step they see only if they may read the Thread that its Activation answers (design rule 12),
 * because the steps quote it. Tools, times, usage and outcome they see in any case.
 *
 * @throws NotFoundError, ForbiddenError when one of `readers` is not subscribed.
 */
export async function readTranscript(
  executor: Executor,
  organisation: OrganisationId,
  request: {
    readers: readonly WorkerId[];
    stream: StreamId;
    cursor?: EventCursor | undefined;
    limit: number;
    characters: number;
  },
): Promise<TranscriptPage> {
  const { readers, stream, limit } = request;
  const cursor = request.cursor?.kind === 'rest' ? undefined : request.cursor;
  const forward = cursor?.kind === 'after';
  const bound = cursor ? (cursor.positions[stream] ?? 0) : null;
  const [found] = await executor.query<{ blind: WorkerId[]; top: number | null; total: number; steps: StepRow[] }>(
    `with candidate as (
       select st.activation, st.number, st.position, st.created_at as at, a.thread, st.kind, st.usage,
         case when st.content->'output' ? 'pictures' then jsonb_set(st.content, '{output,pictures}', '[]') else st.content end as content,
         ${readableBy('a', '$3')} as readable
       from step st join activation a on a.organisation = st.organisation and a.id = st.activation
       where st.organisation = $1 and st.stream = $2
         and ($4::int is null or ${forward ? 'st.position > $4' : 'st.position < $4'})
       order by st.position ${forward ? '' : 'desc'} limit $5::int + 1
     ), sized as (
       select candidate.*, row_number() over w as n, sum(least(length(content::text), ${longestBody}) + 200) over w as size
       from candidate window w as (order by position ${forward ? '' : 'desc'})
     ), page as (
       select * from sized where n <= $5::int and (n = 1 or size <= $6::int)
     )
     select
       (select coalesce(jsonb_agg(r.id), '[]') from unnest($3::text[]) r(id) where not exists (
         select 1 from subscription b where b.organisation = $1 and b.stream = $2 and b.worker = r.id)) as blind,
       (select position from stream where organisation = $1 and id = $2) as top,
       (select count(*) from sized) as total,
       (select coalesce(jsonb_agg(to_jsonb(page) order by position), '[]') from page) as steps`,
    [organisation, stream, readers, bound, limit, request.characters],
  );
  if (found?.top == null) throw unknownStream(stream);
  if (found.blind.length > 0)
    throw new ForbiddenError(
      `"${stream}" is read by those who manage the worker and subscribe to it; not by ${found.blind.join(', ')}`,
    );
  const { steps, top, total } = found;
  const cut = total > steps.length;
  const events = steps.map((step) => eventOf(step, stream));
  const first = steps[0]?.position ?? bound ?? top + 1;
  const last = steps.at(-1)?.position ?? bound ?? top;
  const seen = forward && cut ? last : Math.max(top, bound ?? 0);
  const end = cursor?.kind === 'before' ? Math.max((bound ?? 1) - 1, 0) : seen;
  return {
    cursor: encodeCursor({ kind: 'after', positions: { [stream]: end } }),
    ...(!forward && cut ? { earlier: encodeCursor({ kind: 'before', positions: { [stream]: first } }) } : {}),
    more: forward ? cut : cursor !== undefined,
    events,
  };
}

function eventOf(step: StepRow, stream: StreamId): TranscriptEvent {
  const { activation, number, position, at, thread, kind, usage } = step;
  const about = { id: `${activation}/${number}`, stream, position, at, activation, thread, kind };
  const usageOf = usage ? { usage } : {};
  if (step.readable) return { ...about, body: bodyOf(kind, step.content), ...usageOf };
  return { ...about, body: withheldBody(kind, step.content), ...usageOf, withheld: true };
}

function bodyOf(kind: TranscriptEvent['kind'], content: Record<string, unknown>): string {
  const tool = String(content.tool ?? '');
  switch (kind) {
    case 'start':
      return 'started';
    case 'text':
      return shortened(textOf(content.text));
    case 'tool_call':
      return shortened(`${tool} ${textOf(content.input)}`);
    case 'tool_result':
      return shortened(`${tool} ${content.isError ? 'failed' : 'gave'}: ${outputText(content.output)}`);
    case 'end':
      return content.error ? `${textOf(content.outcome)}: ${textOf(content.error)}` : textOf(content.outcome);
  }
}

function withheldBody(kind: TranscriptEvent['kind'], content: Record<string, unknown>): string {
  const tool = String(content.tool ?? '');
  switch (kind) {
    case 'start':
      return 'started';
    case 'text':
      return '(text withheld: it was said in a thread that you may not read)';
    case 'tool_call':
      return `${tool} (arguments withheld)`;
    case 'tool_result':
      return `${tool} ${content.isError ? 'failed' : 'gave a result'} (withheld)`;
    case 'end':
      return textOf(content.outcome);
  }
}

/** What a tool said in words; that it gave a picture too is said, and the picture is not shown. */
function outputText(output: unknown): string {
  if (typeof output !== 'object' || output === null || !('pictures' in output)) return textOf(output);
  return `${'text' in output ? textOf(output.text) : ''} (and a picture)`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function shortened(text: string): string {
  return text.length > longestBody ? `${text.slice(0, longestBody)}… (${text.length} characters)` : text;
}
