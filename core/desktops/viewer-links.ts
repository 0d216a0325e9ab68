import { randomUUID } from 'node:crypto';
import type { Core } from '../core.ts';
import type { DesktopId, OrganisationId, WorkerId } from '../store/ids.ts';
import { type LinkMode, signToken, type ViewerClaims } from './viewer-token.ts';

/** Whatever was opened by a link ends so long after it was made, in seconds (design §6: 24 h). */
export const linkSeconds = 24 * 3600;

/** A personal link to control is to be opened within so many seconds (design §6: 15 min). */
export const openControlSeconds = 15 * 60;

/** A page's token lasts so long and is renewed in time, in seconds: one that leaks from a page is soon worth nothing. */
export const renewedSeconds = 15 * 60;

/** A link that is asked for again and again (the wall's) is the same one as long as it lasts for more than this, in seconds. */
const reusedSeconds = linkSeconds / 2;

/** What a link is to open, and for whom. */
export interface WantedLink {
  organisation: OrganisationId;
  /** Null: the wall. */
  desktop: DesktopId | null;
  mode: LinkMode;
  /** Null: whoever reads the Thread in which it is posted. */
  subject: WorkerId | null;
}

/**
 * Makes a link: its row, and the address that opens it. The token stands in the fragment, which browsers send to nobody, and is stored
 * nowhere: who calls this hands the address out at once.
 *
 * @param reuse takes a row of the same kind that was made before, of a Desktop's: for links that are asked for every few seconds
 */
export async function makeLink(
  core: Pick<Core, 'database' | 'desktops' | 'publicUrl'>,
  wanted: WantedLink,
  { reuse = false }: { reuse?: boolean } = {},
): Promise<string> {
  const { organisation, desktop, mode, subject } = wanted;
  const [row] = await core.database.query<{ jti: string; seconds: number }>(
    `with kept as (
       select jti, expires_at from viewer_link where $6 and organisation = $1 and desktop = $3 and mode = $4
         and subject is not distinct from $5 and revoked_at is null and expires_at > now() + interval '${reusedSeconds} s'
       order by expires_at desc limit 1
     ), made as (
       insert into viewer_link (organisation, jti, desktop, mode, subject, expires_at)
       select $1, $2, $3, $4, $5, now() + interval '${linkSeconds} s' where not exists (select 1 from kept)
       returning jti, expires_at
     )
     select jti, extract(epoch from expires_at - now())::float8 as seconds from (select * from kept union all select * from made) l`,
    [organisation, randomUUID(), desktop, mode, subject, reuse],
  );
  if (!row) throw new Error('a viewer link was made and is not there');
  const seconds = mode === 'control' ? openControlSeconds : Math.floor(row.seconds);
  const token = await signToken(core.desktops.keys, { ...wanted, jti: row.jti }, seconds);
  return `${core.publicUrl}${desktop ? `/d/${desktop}` : '/wall'}#${token}`;
}

/** A token of the same link that lasts a while longer, for a page that was opened in time. `leftSeconds`: of the link in all. */
export async function renewToken(
  core: Pick<Core, 'desktops'>,
  claims: ViewerClaims,
  leftSeconds: number,
): Promise<string> {
  return await signToken(core.desktops.keys, claims, Math.max(1, Math.floor(Math.min(renewedSeconds, leftSeconds))));
}

/** Removes the rows of links that have been over for a day: until then a token that is shown again is told what became of it. */
export async function removeOldLinks(core: Pick<Core, 'database'>): Promise<void> {
  await core.database.query(`delete from viewer_link where expires_at < now() - interval '1 day'`);
}
