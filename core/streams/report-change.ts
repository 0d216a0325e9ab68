import type { Core } from '../core.ts';
import { redactLinks } from '../desktops/redact-links.ts';
import type { BindingId, OrganisationId } from '../store/ids.ts';

/** Where a platform's message is known: the Binding it came by or went out to, and the platform's id for it. */
export interface PlatformMessage {
  organisation: OrganisationId;
  binding: BindingId;
  externalId: string;
}

/**
 * A platform reports that somebody edited a message: the body is replaced, search included, and nobody is woken (design rule 15).
 * False: no Event is known by this id. An edit of a deleted message changes nothing.
 */
export async function reportEdit(core: Core, message: PlatformMessage, body: string): Promise<boolean> {
  return await change(
    core,
    message,
    `body = case when deleted_at is null then $4 else body end,
     edited_at = case when deleted_at is null then now() else edited_at end`,
    [redactLinks(core.publicUrl, body.replaceAll('\u0000', ''))],
  );
}

/** A platform reports that somebody deleted a message: what it said is blanked everywhere, search included. */
export async function reportDelete(core: Core, message: PlatformMessage): Promise<boolean> {
  return await change(
    core,
    message,
    `body = '', subject = '', attachments = '[]', deleted_at = coalesce(deleted_at, now())`,
    [],
  );
}

async function change(core: Core, message: PlatformMessage, set: string, values: unknown[]): Promise<boolean> {
  const rows = await core.database.query(
    `update event set ${set} where organisation = $1
       and id = (select event from receipt where organisation = $1 and binding = $2 and external_id = $3) returning 1`,
    [message.organisation, message.binding, message.externalId, ...values],
  );
  if (rows.length > 0) core.waking.announce('nothing');
  return rows.length > 0;
}
