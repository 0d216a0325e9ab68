import { z } from 'zod';
import type { DesktopId, WorkerId } from '../store/ids.ts';
import type { Event } from '../streams/message.ts';

/**
 * What an Event of the core's own shows: a Desktop to watch, one to control, or the wall. It stands in `extra.desktop`. The links are made
 * when the Event is rendered for somebody, and are stored nowhere.
 */
export interface ShownDesktop {
  /** Null: the wall. */
  id: DesktopId | null;
  link: 'watch' | 'control' | 'wall';
  /** Who asked for it; null: nobody in particular. A personal link is made for this Worker only. */
  for: WorkerId | null;
}

const worker = z.custom<WorkerId>((value) => typeof value === 'string' && value.startsWith('w-'));
const desktop = z.custom<DesktopId>((value) => typeof value === 'string' && value.startsWith('d-'));
const schema = z.object({
  id: desktop.nullable(),
  link: z.enum(['watch', 'control', 'wall']),
  for: worker.nullable(),
});

/** What an Event shows; null: nothing. Only what the core itself says counts: what people and models wrote shows no Desktop, whatever it holds. */
export function shownIn(event: Pick<Event, 'sourceKind' | 'extra'>): ShownDesktop | null {
  if (event.sourceKind !== 'notice') return null;
  return schema.safeParse(event.extra.desktop).data ?? null;
}
