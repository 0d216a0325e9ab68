/**
 * Who may know that a Stream exists, as SQL: true when every Worker of the array `readers` is subscribed to it, takes part in one
 * of its Threads or is its default Worker; and, for channels and mail, when it may join or make Streams anyway. A DM is known to
 * its participants only, a transcript to its subscribers. Arguments are SQL expressions: an alias of `stream` and a parameter of
 * type text[]. What is said in a Stream is another question (who-may-read.ts).
 */
export function visibleStream(stream: string, readers: string): string {
  const reader = `${stream}.organisation and vr.worker = reader.id`;
  return `(cardinality(${readers}::text[]) > 0 and not exists (
    select 1 from unnest(${readers}::text[]) reader(id) where not (
      exists (select 1 from subscription vr where vr.organisation = ${reader} and vr.stream = ${stream}.id)
      or (${stream}.kind <> 'activation' and exists (
        select 1 from participant vr join thread vt on vt.organisation = vr.organisation and vt.id = vr.thread
        where vr.organisation = ${reader} and vt.stream = ${stream}.id))
      or (${stream}.kind in ('channel', 'mail') and (
        ${stream}.default_worker is not distinct from reader.id
        or exists (select 1 from "grant" vr where vr.organisation = ${reader}
          and vr.tool in ('create_stream', 'subscribe', 'invite_workers'))))
    )))`;
}
