/**
 * Who may read (design rule 12), as SQL: true when every Worker of the array `readers` may read the Event `event`. A mail or a DM is
 * readable by its Thread's participants only, another Stream by its subscribers. Unknown means no: an empty array reads
 * nothing. Arguments are SQL expressions, not values: an alias of `event` (or of anything with organisation, stream and thread)
 * and a parameter of type text[].
 */
export function readableBy(event: string, readers: string): string {
  return `(cardinality(${readers}::text[]) > 0 and not exists (
    select 1 from unnest(${readers}::text[]) reader(id) where not exists (
      select 1 from stream rs where rs.organisation = ${event}.organisation and rs.id = ${event}.stream and (
        (rs.kind in ('mail', 'dm') and exists (select 1 from participant rp
          where rp.organisation = ${event}.organisation and rp.thread = ${event}.thread and rp.worker = reader.id))
        or (rs.kind in ('channel', 'activation') and exists (select 1 from subscription rb
          where rb.organisation = ${event}.organisation and rb.stream = ${event}.stream and rb.worker = reader.id))
      ))))`;
}

/**
 * SQL: everybody who reads what is said in a Thread, a `worker` a row: a mail's or DM's participants, else the Stream's human subscribers
 * and the Thread's participants. Arguments are SQL expressions.
 */
export function readersOf(organisation: string, thread: string): string {
  return `select p.worker from participant p where p.organisation = ${organisation} and p.thread = ${thread}
     union
     select s.worker from thread h
       join stream t on t.organisation = h.organisation and t.id = h.stream and t.kind not in ('mail', 'dm')
       join subscription s on s.organisation = t.organisation and s.stream = t.id
       join worker w on w.organisation = s.organisation and w.id = s.worker and w.kind = 'human'
     where h.organisation = ${organisation} and h.id = ${thread}
     order by 1`;
}
