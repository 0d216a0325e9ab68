import { crc32 } from 'node:zlib';

/** A file in a zip. */
export interface ZipEntry {
  name: string;
  data: Buffer;
}

/** 1 January 1980, the first day that a zip knows: the same files make the same bytes. */
const date = 0x0021;
const fixedSize = { local: 30, central: 46, end: 22 };

/**
 * A zip of stored (uncompressed) files, as Teams takes it: PKWARE's APPNOTE 6.3, sections 4.3.7, 4.3.12 and 4.3.16. For a few
 * small files with plain names.
 */
export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data } of entries) {
    const file = Buffer.concat([localHeader(name, data), data]);
    files.push(file);
    directory.push(centralHeader(name, data, offset));
    offset += file.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(fixedSize.end);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, central, end]);
}

function localHeader(name: string, data: Buffer): Buffer {
  const header = Buffer.alloc(fixedSize.local);
  header.writeUInt32LE(0x04034b50, 0);
  describe(header, 4, name, data);
  return Buffer.concat([header, Buffer.from(name, 'latin1')]);
}

function centralHeader(name: string, data: Buffer, offset: number): Buffer {
  const header = Buffer.alloc(fixedSize.central);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  describe(header, 6, name, data);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, Buffer.from(name, 'latin1')]);
}

/** What both headers say in the same order: version needed, flags, method (stored), time, date, CRC, sizes, length of the name. */
function describe(header: Buffer, at: number, name: string, data: Buffer): void {
  header.writeUInt16LE(20, at);
  header.writeUInt16LE(date, at + 8);
  header.writeUInt32LE(crc32(data), at + 10);
  header.writeUInt32LE(data.length, at + 14);
  header.writeUInt32LE(data.length, at + 18);
  header.writeUInt16LE(Buffer.byteLength(name, 'latin1'), at + 22);
}
