import type { Core } from '../core.ts';
import { NotFoundError } from '../errors.ts';
import type { StreamId, ThreadId } from '../store/ids.ts';
import { type Appended, append } from '../streams/append.ts';
import type { Desktop } from './desktop.ts';
import type { ShownDesktop } from './shown-desktop.ts';

/** Shows a Desktop in a Thread: a notice of the core's own, which wakes nobody. @throws NotFoundError when there is no such Thread. */
export async function postDesktop(
  core: Pick<Core, 'database' | 'waking' | 'metrics'>,
  desktop: Desktop,
  thread: ThreadId,
  body: string,
): Promise<Appended> {
  const [place] = await core.database.query<{ stream: StreamId }>(
    'select stream from thread where organisation = $1 and id = $2',
    [desktop.organisation, thread],
  );
  if (!place) throw new NotFoundError(`unknown thread "${thread}"`);
  const shown: ShownDesktop = { id: desktop.id, link: 'watch', for: null };
  return await append(core, {
    organisation: desktop.organisation,
    stream: place.stream,
    thread,
    author: null,
    sourceKind: 'notice',
    message: { body, extra: { desktop: shown } },
  });
}
