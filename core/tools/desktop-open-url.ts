import { z } from 'zod';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

/** Opens an address in the browser. */
export const desktopOpenUrl = defineTool({
  name: 'desktop_open_url',
  description:
    'Open an address in the browser of your desktop. Which sites it reaches is configured; look at the screen to see what came.',
  input: exactly({ url: z.url({ protocol: /^https?$/ }).max(8000), ...whichDesktop }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { url, desktop: reference }) {
    return await useDesktop(context, reference, async (_desktop, channel) => {
      await channel.openUrl(url);
      return { opened: url };
    });
  },
});
