import type { Core } from '../core.ts';
import type { OutgoingFile } from '../delivery/door.ts';
import { type FileId, newId, type OrganisationId, type ThreadId } from '../store/ids.ts';
import type { Attachment } from '../streams/message.ts';
import { addressOf, storedFiles } from './file-address.ts';
import { makeFileLink } from './file-links.ts';

/** Stores a file for a Thread, for DESKTOP_FILES_KEPT seconds. Gives the attachment that names it. */
export async function storeFile(
  core: Pick<Core, 'database' | 'desktops'>,
  organisation: OrganisationId,
  thread: ThreadId,
  file: OutgoingFile,
): Promise<Attachment> {
  const id: FileId = newId('f');
  await core.database.query(
    `insert into file (organisation, id, thread, name, type, data, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))`,
    [organisation, id, thread, file.name, file.type, file.data, core.desktops.settings.DESKTOP_FILES_KEPT],
  );
  return { name: file.name, type: file.type, size: file.data.byteLength, url: addressOf(id) };
}

/**
 * The files of ours among a Thread's attachments, in their order, each with a link that is signed now; what is no longer kept is left out.
 * A file of another Thread is not given, whatever an attachment says.
 */
export async function readFiles(
  core: Pick<Core, 'database' | 'desktops' | 'publicUrl'>,
  organisation: OrganisationId,
  thread: ThreadId,
  attachments: readonly Attachment[],
): Promise<OutgoingFile[]> {
  const rows = await readRows<{ id: FileId; seconds: number } & OutgoingFile>(
    core,
    ['f.name', 'f.type', 'f.data'],
    organisation,
    thread,
    attachments,
  );
  return await Promise.all(
    rows.map(async ({ id, seconds, ...file }) => ({
      ...file,
      url: await makeFileLink(core, organisation, id, seconds),
    })),
  );
}

/** The names and links of these files, for places that show text only. */
export async function readFileLinks(
  core: Pick<Core, 'database' | 'desktops' | 'publicUrl'>,
  organisation: OrganisationId,
  thread: ThreadId,
  attachments: readonly Attachment[],
): Promise<{ name: string; url: string }[]> {
  const rows = await readRows<{ id: FileId; seconds: number; name: string }>(
    core,
    ['f.name'],
    organisation,
    thread,
    attachments,
  );
  return await Promise.all(
    rows.map(async ({ id, seconds, name }) => ({ name, url: await makeFileLink(core, organisation, id, seconds) })),
  );
}

async function readRows<Row>(
  { database }: Pick<Core, 'database'>,
  columns: readonly string[],
  organisation: OrganisationId,
  thread: ThreadId,
  attachments: readonly Attachment[],
): Promise<Row[]> {
  const ids = storedFiles(attachments);
  if (ids.length === 0) return [];
  return await database.query<Row>(
    `select f.id, extract(epoch from f.expires_at - now())::float8 as seconds, ${columns.join(', ')}
     from unnest($3::text[]) with ordinality asked(id, n)
       join file f on f.organisation = $1 and f.id = asked.id and f.thread = $2 and f.expires_at > now() order by asked.n`,
    [organisation, thread, ids],
  );
}

/** Removes the files whose time is over. */
export async function removeOldFiles(core: Pick<Core, 'database'>): Promise<void> {
  await core.database.query('delete from file where expires_at <= now()');
}
