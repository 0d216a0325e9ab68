import { createHmac } from 'node:crypto';
import { deriveKey } from '../secrets/secret-key.ts';
import type { DesktopId, HostId, OrganisationId } from '../store/ids.ts';
import type { DesktopParts } from './desktop-parts.ts';
import type { DialPerson, FromCore } from './host-messages.ts';

/** A connection that a Host is to make. `id` is as good as random bytes; who has SECRET_KEY makes the ticket of it. */
export interface DialRow {
  id: string;
  organisation: OrganisationId;
  desktop: DesktopId;
  host: HostId;
  kind: 'viewer' | 'channel';
  url: string;
  person?: DialPerson | undefined;
}

/** Who waits gives up after so long. */
export const dialSeconds = 10;

const purpose = 'dial tickets';

/** What the Host shows when it dials. It is stored nowhere: every core process can make it again. */
export function ticketOf(parts: Pick<DesktopParts, 'secretKey'>, id: string): string {
  return createHmac('sha256', deriveKey(parts.secretKey, purpose)).update(id).digest('base64url');
}

/** The message by which a Host is asked for it. */
export function dialMessage(parts: Pick<DesktopParts, 'secretKey'>, row: DialRow): Extract<FromCore, { type: 'dial' }> {
  const { id, desktop, kind, url, person } = row;
  return { type: 'dial', desktop, kind, url, ticket: ticketOf(parts, id), ...(person ? { person } : {}) };
}

/** Leaves it for the process that holds the Host's link. */
export async function leaveDial(parts: Pick<DesktopParts, 'database' | 'waking'>, row: DialRow): Promise<void> {
  await parts.database.query(
    `insert into dial (id, organisation, desktop, host, kind, url, person) values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      row.id,
      row.organisation,
      row.desktop,
      row.host,
      row.kind,
      row.url,
      row.person ? JSON.stringify(row.person) : null,
    ],
  );
  parts.waking.announceDesktops();
}

/**
 * Takes what was left for the Hosts for which these connections speak; one whose place another has taken gets nothing, since nobody may hear
 * it. What nobody took in time is removed by {@link removeOldDials}.
 */
export async function takeDials(
  parts: Pick<DesktopParts, 'database' | 'secretKey'>,
  links: readonly string[],
): Promise<(Extract<FromCore, { type: 'dial' }> & { link: string })[]> {
  const rows = await parts.database.query<Omit<DialRow, 'person'> & { person: DialPerson | null; link: string }>(
    `delete from dial using host h
     where h.link = any($1::text[]) and dial.host = h.id and dial.created_at > now() - interval '${dialSeconds} s'
     returning dial.id, dial.organisation, dial.desktop, dial.host, dial.kind, dial.url, dial.person, h.link`,
    [links],
  );
  return rows.map((row) => ({ ...dialMessage(parts, { ...row, person: row.person ?? undefined }), link: row.link }));
}

/** Removes what nobody waits for any more. */
export async function removeOldDials(parts: Pick<DesktopParts, 'database'>): Promise<void> {
  await parts.database.query(`delete from dial where created_at <= now() - interval '${3 * dialSeconds} s'`);
}
