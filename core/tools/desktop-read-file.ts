import { isUtf8 } from 'node:buffer';
import { count, exactly, maybe, text } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

/** What a model is given of one result holds so much, in bytes; a client of the endpoint has room for more. */
const usual = { activation: 12_000, client: 1_000_000 } as const;

/** Reads a file of the sandbox. */
export const desktopReadFile = defineTool({
  name: 'desktop_read_file',
  description:
    'Read a file in your desktop. Text comes as it is, anything else as base64. "size" is that of the whole file; read the rest with "offset".',
  input: exactly({
    path: text(4096).describe('relative to the home folder, or absolute'),
    offset: maybe(count({ min: 0, max: 999_999_999 })).describe('bytes to leave out (0)'),
    limit: maybe(count({ min: 1, max: 1_000_000 })).describe('how many bytes at most'),
    ...whichDesktop,
  }),
  idempotent: true,
  // It may start the Desktop.
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { path, offset = 0, limit, desktop: reference }) {
    const atMost = limit ?? (context.activation ? usual.activation : usual.client);
    return await useDesktop(context, reference, async (_desktop, channel) => {
      const { data, size } = await channel.readFile(path, offset, atMost);
      const isCut = offset + data.byteLength < size;
      const text = textOf(isCut ? withoutPartOfCharacter(data) : data);
      const next = offset + (text?.byteLength ?? data.byteLength);
      return {
        path,
        size,
        ...(text ? { text: text.toString('utf8') } : { base64: data.toString('base64') }),
        ...(next < size ? { next } : {}),
      };
    });
  },
});

/** The bytes, if they are a text; undefined: something else, or less than a character. */
function textOf(data: Buffer): Buffer | undefined {
  return isUtf8(data) && !data.includes(0) ? data : undefined;
}

/** Without the first bytes of a character that the end cuts through; as it is where nothing would be left (RFC 3629 §3). */
function withoutPartOfCharacter(data: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, data.byteLength - 1); back++) {
    const byte = data[data.byteLength - back] ?? 0;
    if (byte < 0x80) return data;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return back < length ? data.subarray(0, data.byteLength - back) : data;
  }
  return data;
}
