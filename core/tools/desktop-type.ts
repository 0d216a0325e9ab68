import { z } from 'zod';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

/** Types a text. */
export const desktopType = defineTool({
  name: 'desktop_type',
  description: 'Type a text where the keyboard focus is, in any script; a line break is the Return key.',
  input: exactly({ text: z.string().min(1).max(20_000), ...whichDesktop }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { text, desktop: reference }) {
    return await useDesktop(context, reference, async (_desktop, channel) => {
      await channel.act([{ do: 'type', text }]);
      return { typed: [...text].length };
    });
  },
});
