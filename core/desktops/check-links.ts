import type { Core } from '../core.ts';
import { ForbiddenError, GoneError, type SwitchboardError } from '../errors.ts';
import { isGuest } from '../organisation/visible-workers.ts';
import type { Executor } from '../store/database.ts';
import type { DesktopId, OrganisationId, WorkerId } from '../store/ids.ts';
import { expired, type LinkMode, readToken, type ViewerClaims } from './viewer-token.ts';
import { mayControl, mayWatch } from './who-may-watch.ts';

/** What has become of a link. `open`: it counts. */
export type LinkStanding = 'open' | 'expired' | 'revoked' | 'stopped';

/** A link as the database knows it now. */
export interface LinkNow {
  organisation: OrganisationId;
  jti: string;
  standing: LinkStanding;
  /** Of its own person; empty where it is nobody's own. */
  personName: string;
  /** Until everything that was opened by it ends. */
  leftSeconds: number;
  /** Why the Desktop stopped or failed, if it did. */
  detail: string;
  workerName: string;
}

/** What has become of these links, in one round trip. Those that are not there are missing from the answer. */
export async function checkLinks(
  executor: Executor,
  links: readonly { organisation: OrganisationId; jti: string }[],
): Promise<LinkNow[]> {
  return await executor.query<LinkNow>(
    `select l.organisation, l.jti, coalesce(d.detail, '') as detail, coalesce(w.name, '') as "workerName",
       coalesce(p.name, '') as "personName", extract(epoch from l.expires_at - now())::float8 as "leftSeconds",
       case
         when l.desktop is not null and (d.id is null or d.desired <> 'running') then 'stopped'
         when l.revoked_at is not null then 'revoked'
         when d.thread is not null and not exists (
           select 1 from thread t where t.organisation = l.organisation and t.id = d.thread and t.closed_at is null) then 'revoked'
         when l.subject is not null and not (case l.mode
           when 'control' then ${mayControl('d', 'l.subject')}
           when 'watch' then ${mayWatch('d', 'l.subject')}
           else p.id is not null and p.dismissed_at is null and not ${isGuest('p')} end) then 'revoked'
         when l.expires_at <= now() then 'expired'
         else 'open' end as standing
     from unnest($1::text[], $2::text[]) asked(organisation, jti)
       join viewer_link l on l.organisation = asked.organisation and l.jti = asked.jti
       left join desktop d on d.organisation = l.organisation and d.id = l.desktop
       left join worker w on w.organisation = d.organisation and w.id = d.worker
       left join worker p on p.organisation = l.organisation and p.id = l.subject`,
    [links.map(({ organisation }) => organisation), links.map(({ jti }) => jti)],
  );
}

/** What a link opens for whoever shows its token. */
export interface OpenedLink extends ViewerClaims {
  personName: string;
  leftSeconds: number;
}

/**
 * Whether a token opens what it is shown for.
 *
 * @param wanted the Desktop of the path (null: the wall), and which modes may
 * @throws UnauthenticatedError (401: `link_invalid`, `link_expired`), ForbiddenError (403, for another Desktop or mode), GoneError (410:
 * `link_revoked`, `desktop_stopped`)
 */
export async function openLink(
  core: Pick<Core, 'database' | 'desktops'>,
  token: string,
  wanted: { desktop: DesktopId | null; modes: readonly LinkMode[] },
): Promise<OpenedLink> {
  const claims = await readToken(core.desktops.keys, token);
  if (claims.desktop !== wanted.desktop || !wanted.modes.includes(claims.mode))
    throw new ForbiddenError('this link opens something else: open it as it was sent');
  const [now] = await checkLinks(core.database, [claims]);
  const refusal = refusalOf(now);
  if (refusal) throw refusal;
  return { ...claims, personName: now?.personName ?? '', leftSeconds: now?.leftSeconds ?? 0 };
}

/** Why a link does not count (any more), for the person who shows it; null: it counts. A link without a row was taken away long ago. */
export function refusalOf(link: LinkNow | undefined): SwitchboardError | null {
  switch (link?.standing) {
    case 'open':
      return null;
    case 'expired':
      return expired();
    case 'stopped':
      return new GoneError(
        `${link.workerName ? `${link.workerName}'s desktop` : 'the desktop'} has stopped${link.detail ? ` (${link.detail})` : ''}: say \`desktop\` in its thread to start it again`,
        'desktop_stopped',
      );
    default:
      return new GoneError('this link no longer counts: say `desktop` in the thread for a new one', 'link_revoked');
  }
}

/** The Worker whose own a link is, or whoever reads the Thread. */
export function personOf(link: { subject: WorkerId | null; personName: string }): string {
  return link.subject === null ? 'Somebody with the link' : link.personName;
}
