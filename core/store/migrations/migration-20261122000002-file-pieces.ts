import { Migration } from '@mikro-orm/migrations';

/**
 * A file is read piece by piece: PostgreSQL finds a piece of bytes that lie uncompressed by itself, of compressed ones it unpacks all that is
 * before. What is stored here (MP4, PNG, JPEG) would hardly get smaller. It counts for files that are stored from now on; those that are
 * there can be read as before, and go with their time.
 */
export class Migration20261122000002FilePieces extends Migration {
  override up(): void {
    this.addSql(`alter table "file" alter column "data" set storage external`);
  }

  override down(): void {
    this.addSql(`alter table "file" alter column "data" set storage extended`);
  }
}
