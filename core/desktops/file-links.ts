import type { Core } from '../core.ts';
import { GoneError } from '../errors.ts';
import type { FileId, OrganisationId } from '../store/ids.ts';
import { addressOf } from './file-address.ts';
import { linkSeconds } from './viewer-links.ts';
import { readFileToken, signFileToken } from './viewer-token.ts';

/**
 * The address of a page that shows a file of a Thread, for whoever reads that Thread: for doors that cannot send the file itself. It opens
 * for a day, or as long as the file is kept if that is shorter, and no longer once the Thread is closed or the message deleted. Like every link of ours it is
 * signed when it is shown and stored nowhere.
 *
 * @param keptSeconds how long the file is still kept
 */
export async function makeFileLink(
  core: Pick<Core, 'desktops' | 'publicUrl'>,
  organisation: OrganisationId,
  file: FileId,
  keptSeconds: number,
): Promise<string> {
  const seconds = Math.max(1, Math.floor(Math.min(linkSeconds, keptSeconds)));
  const token = await signFileToken(core.desktops.keys, { organisation, file }, seconds);
  return `${core.publicUrl}/f/${file}#${token}`;
}

/** A file that may be fetched, by whoever has shown its token. */
export interface OpenedFile {
  organisation: OrganisationId;
  id: FileId;
  name: string;
  type: string;
  /** In bytes. */
  size: number;
}

/**
 * The file that a token opens. Its contents are for `readPieces`.
 *
 * @param wanted the file of the path
 * @throws UnauthenticatedError (401: `link_invalid`, also for another file; `link_expired`), GoneError (410: `link_revoked`)
 */
export async function openFileLink(
  core: Pick<Core, 'database' | 'desktops'>,
  token: string,
  wanted: string,
): Promise<OpenedFile> {
  const { organisation, file } = await readFileToken(core.desktops.keys, token, wanted);
  const [found] = await core.database.query<OpenedFile>(
    `select f.organisation, f.id, f.name, f.type, octet_length(f.data) as size from file f
       join thread t on t.organisation = f.organisation and t.id = f.thread and t.closed_at is null
     where f.organisation = $1 and f.id = $2 and f.expires_at > now() and exists (
       select 1 from event e where e.organisation = f.organisation and e.thread = f.thread and e.attachments @> $3::jsonb)`,
    [organisation, file, JSON.stringify([{ url: addressOf(file) }])],
  );
  if (!found) throw new GoneError('this file is no longer kept: ask for it again in its thread', 'link_revoked');
  return found;
}
