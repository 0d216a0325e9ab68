import { isGuest } from '../organisation/visible-workers.ts';
import { readableBy } from '../streams/who-may-read.ts';

/**
 * Who may watch a Desktop, as SQL: true when every Worker of the array `readers` may. A Thread's Desktop shows what is done in it, so that
 * those may watch who may read it (design rule 12, `readableBy`) or take part in it; one that serves all Threads of its Worker, those who
 * manage that Worker. Arguments are SQL expressions: an alias of `desktop` and a parameter of type text[].
 */
export function watchableBy(desktop: string, readers: string): string {
  return `(cardinality(${readers}::text[]) > 0 and not exists (
    select 1 from unnest(${readers}::text[]) watcher(id) where not case when ${desktop}.thread is null
      then ${managedBy(`${desktop}.organisation`, `${desktop}.worker`, 'watcher.id')}
      else exists (select 1 from participant wp
          where wp.organisation = ${desktop}.organisation and wp.thread = ${desktop}.thread and wp.worker = watcher.id)
        or exists (select 1 from (select organisation, id as thread, stream from thread) wt
          where wt.organisation = ${desktop}.organisation and wt.thread = ${desktop}.thread and ${readableBy('wt', 'array[watcher.id]')}) end))`;
}

/** As {@link watchableBy}, for one person: who is here still, and is no guest. `reader` is an SQL expression. */
export function mayWatch(desktop: string, reader: string): string {
  return `(exists (select 1 from worker mw where mw.organisation = ${desktop}.organisation and mw.id = ${reader}
      and mw.dismissed_at is null and not ${isGuest('mw')})
    and ${watchableBy(desktop, `array[${reader}]`)})`;
}

/** As {@link mayWatch}, and may take the input as well: by the Grant of control_desktop. */
export function mayControl(desktop: string, reader: string): string {
  return `(${mayWatch(desktop, reader)} and exists (select 1 from "grant" cg
    where cg.organisation = ${desktop}.organisation and cg.worker = ${reader} and cg.tool = 'control_desktop'))`;
}

/** `manages` of core/organisation/workers.ts as a condition: `manager` hired `worker` or sits in a Position above its own. */
function managedBy(organisation: string, worker: string, manager: string): string {
  return `(${manager} <> ${worker} and exists (
    with recursive above(id) as (
      select ap.reports_to from worker aw join "position" ap on ap.organisation = aw.organisation and ap.id = aw.position
      where aw.organisation = ${organisation} and aw.id = ${worker}
      union
      select ap.reports_to from above join "position" ap on ap.organisation = ${organisation} and ap.id = above.id
    )
    select 1 from worker mm where mm.organisation = ${organisation} and mm.id = ${manager} and mm.dismissed_at is null and (
      mm.position in (select id from above)
      or exists (select 1 from worker hw where hw.organisation = ${organisation} and hw.id = ${worker} and hw.hired_by = mm.id))))`;
}
