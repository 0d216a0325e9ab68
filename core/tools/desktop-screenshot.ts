import { agentPicture } from '../desktops/agent-picture.ts';
import { UnavailableError } from '../errors.ts';
import { Picture } from './picture.ts';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

/** What is stored with an Activation's steps is kept small; a client of the endpoint keeps nothing here. */
const quality = { activation: 60, client: 85 } as const;

/** Shows the screen. */
export const desktopScreenshot = defineTool({
  name: 'desktop_screenshot',
  description:
    'See the screen of your desktop, a Linux desktop with a browser and a terminal; it is started if it is not running. Positions that you give to other desktop tools are pixels of this picture, from its top left corner.',
  input: exactly(whichDesktop),
  idempotent: true,
  // It may start the Desktop.
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { desktop: reference }) {
    return await useDesktop(context, reference, async (desktop, channel) => {
      const { width, height } = agentPicture(desktop);
      const { data } = await channel.still({
        format: 'jpeg',
        quality: context.activation ? quality.activation : quality.client,
        width,
      });
      if (!data) throw new UnavailableError('the desktop gave no picture: try again', 'desktop_unavailable');
      return { desktop: desktop.id, width, height, picture: new Picture(data, 'image/jpeg') };
    });
  },
});
