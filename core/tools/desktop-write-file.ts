import { z } from 'zod';
import { InvalidInputError } from '../errors.ts';
import { exactly, maybe, oneOf, text } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

/** Writes a file of the sandbox. */
export const desktopWriteFile = defineTool({
  name: 'desktop_write_file',
  description: 'Write a file in your desktop, as a whole. The folders above it are made.',
  input: exactly({
    path: text(4096).describe('relative to the home folder, or absolute'),
    content: z.string().max(3_000_000),
    encoding: maybe(oneOf('encoding', ['text', 'base64'])).describe('how "content" is written ("text")'),
    ...whichDesktop,
  }),
  idempotent: true,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { path, content, encoding = 'text', desktop: reference }) {
    if (encoding === 'base64' && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(content))
      throw new InvalidInputError('content: is no base64');
    const data = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
    return await useDesktop(context, reference, async (_desktop, channel) => {
      await channel.writeFile(path, data);
      return { path, size: data.byteLength };
    });
  },
});
