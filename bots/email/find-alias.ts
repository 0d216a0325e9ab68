import type { Executor } from '../../core/store/database.ts';
import type { BindingId, OrganisationId, StreamId, WorkerId } from '../../core/store/ids.ts';
import { parseAliasAddress } from './mail-address.ts';

/** A mail alias of ours: where mail to it goes. */
export interface Alias {
  organisation: OrganisationId;
  binding: BindingId;
  stream: StreamId;
  /** The AI Worker that mail to it addresses. */
  defaultWorker: WorkerId | null;
  /** `assistant@example.com`: without what stands behind the `+`. */
  address: string;
  /** What stands behind the `+`: the token of a Thread, or anything a person likes. */
  tag: string | undefined;
}

/** What a recipient's address turned out to be. */
export type FoundAlias =
  | { kind: 'alias'; alias: Alias }
  /** One of our domains, and nobody there by that name. */
  | { kind: 'unknown' }
  /** A domain that belongs to no Organisation. */
  | { kind: 'elsewhere' };

/** Finds the alias of an address. @throws UnavailableError when the database is away */
export async function findAlias(database: Executor, address: string): Promise<FoundAlias> {
  const parsed = parseAliasAddress(address);
  if (!parsed) return { kind: 'elsewhere' };
  const [row] = await database.query<Found>(
    `select i.organisation, b.id as binding, b.stream, w.id as "defaultWorker"
     from installation i
       left join binding b on b.organisation = i.organisation and b.kind = 'mail' and b.external_id = $2
       left join stream s on s.organisation = b.organisation and s.id = b.stream
       left join worker w on w.organisation = s.organisation and w.id = s.default_worker and w.kind = 'ai' and w.dismissed_at is null
     where i.kind = 'mail' and i.external_id = $1`,
    [parsed.domain, parsed.alias],
  );
  if (!row) return { kind: 'elsewhere' };
  const { organisation, binding, stream, defaultWorker } = row;
  if (!binding || !stream) return { kind: 'unknown' };
  const own = `${parsed.alias}@${parsed.domain}`;
  return { kind: 'alias', alias: { organisation, binding, stream, defaultWorker, address: own, tag: parsed.tag } };
}

interface Found {
  organisation: OrganisationId;
  binding: BindingId | null;
  stream: StreamId | null;
  defaultWorker: WorkerId | null;
}
