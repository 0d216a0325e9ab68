import { onScreen } from '../desktops/agent-picture.ts';
import { position } from './desktop-position.ts';
import { count, exactly, maybe, oneOf } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

/** Clicks. */
export const desktopClick = defineTool({
  name: 'desktop_click',
  description: 'Click at a position of the screen. Look at it by desktop_screenshot before and after.',
  input: exactly({
    ...position,
    button: maybe(oneOf('button', ['left', 'middle', 'right'])),
    count: maybe(count({ min: 1, max: 3 })).describe('2 for a double click'),
    ...whichDesktop,
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { x, y, button = 'left', count = 1, desktop: reference }) {
    return await useDesktop(context, reference, async (desktop, channel) => {
      await channel.act([{ do: 'click', ...onScreen(desktop, { x, y }), button, count }]);
      return { clicked: { x, y } };
    });
  },
});
