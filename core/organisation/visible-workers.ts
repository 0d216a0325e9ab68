/**
 * Who may know of whom, as SQL: true when every Worker of the array `readers` may see the Worker `worker`. Everybody sees the
 * colleagues: AI Workers, and people with a Position or a Grant. A guest, whose name is often an address, is seen by itself, by
 * those who meet it in a Thread that they take part in, and by those who may hire. Arguments are SQL expressions: an alias of
 * `worker` and a parameter of type text[].
 */
export function visibleWorker(worker: string, readers: string): string {
  return `(cardinality(${readers}::text[]) > 0 and (not ${isGuest(worker)} or not exists (
    select 1 from unnest(${readers}::text[]) reader(id) where reader.id <> ${worker}.id
      and not exists (select 1 from "grant" hg
        where hg.organisation = ${worker}.organisation and hg.worker = reader.id and hg.tool = 'hire_worker')
      and not exists (select 1 from participant mp
        join participant gp on gp.organisation = mp.organisation and gp.thread = mp.thread and gp.worker = ${worker}.id
        where mp.organisation = ${worker}.organisation and mp.worker = reader.id))))`;
}

/** True for a human without a Position and without any Grant: somebody whom a door has seen and nobody has taken on. */
export function isGuest(worker: string): string {
  return `(${worker}.kind = 'human' and ${worker}.position is null and not exists (
    select 1 from "grant" ig where ig.organisation = ${worker}.organisation and ig.worker = ${worker}.id))`;
}
