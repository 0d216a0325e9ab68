import { exactly, listOf, text } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

/** Presses keys. */
export const desktopKey = defineTool({
  name: 'desktop_key',
  description:
    'Press keys or combinations, one after the other: "Return", "ctrl+l", "alt+Tab", "ctrl+shift+t" (X keysym names with + between).',
  input: exactly({ keys: listOf(text(100), { min: 1, max: 50 }), ...whichDesktop }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { keys, desktop: reference }) {
    return await useDesktop(context, reference, async (_desktop, channel) => {
      await channel.act(keys.map((one) => ({ do: 'key', keys: one })));
      return { pressed: keys };
    });
  },
});
