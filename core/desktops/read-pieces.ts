import type { Core } from '../core.ts';
import { GoneError } from '../errors.ts';
import type { FileId, OrganisationId } from '../store/ids.ts';

/**
 * So much of a file is in this process's memory for each who fetches it, in bytes. The driver gets it as text of twice the size, and
 * reading that holds up everything else: here for about a millisecond.
 */
const pieceBytes = 256 * 1024;

/**
 * The contents of a stored file, piece by piece, each read when it is asked for and by a statement of its own: who takes long over it
 * keeps no connection and no transaction. Nobody changes a file once it is stored, so that the pieces belong together.
 *
 * @param file `size`: in bytes, as it was when the file was opened
 * @throws GoneError (`link_revoked`) when the file is removed meanwhile
 */
export async function* readPieces(
  { database }: Pick<Core, 'database'>,
  file: { organisation: OrganisationId; id: FileId; size: number },
): AsyncGenerator<Buffer> {
  const { organisation, id, size } = file;
  for (let from = 0; from < size; from += pieceBytes) {
    const [row] = await database.query<{ piece: Buffer }>(
      'select substring(data from $3::int + 1 for $4::int) as piece from file where organisation = $1 and id = $2',
      [organisation, id, from, pieceBytes],
    );
    if (row?.piece.byteLength !== Math.min(pieceBytes, size - from))
      throw new GoneError('this file was removed while it was being sent', 'link_revoked');
    yield row.piece;
  }
}
