import { z } from 'zod';
import { onScreen } from '../desktops/agent-picture.ts';
import { position } from './desktop-position.ts';
import { exactly, maybe } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

const notches = z.int().min(-100).max(100);

/** Turns the wheel. */
export const desktopScroll = defineTool({
  name: 'desktop_scroll',
  description: 'Turn the mouse wheel at a position of the screen.',
  input: exactly({
    ...position,
    dy: maybe(notches).describe('notches; positive is down'),
    dx: maybe(notches).describe('notches; positive is to the right'),
    ...whichDesktop,
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { x, y, dx = 0, dy = 0, desktop: reference }) {
    return await useDesktop(context, reference, async (desktop, channel) => {
      await channel.act([{ do: 'scroll', ...onScreen(desktop, { x, y }), dx, dy }]);
      return { scrolled: { dx, dy } };
    });
  },
});
