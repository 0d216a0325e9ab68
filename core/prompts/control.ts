import { titleOf } from '../desktops/desktop.ts';
import { ensureDesktop } from '../desktops/ensure-desktop.ts';
import { desktopOfPlace } from './desktop-of-place.ts';
import type { AnswerPrompt } from './prompt.ts';

/** Gives a person a link of their own by which they take over the thread's Desktop. */
export const control: AnswerPrompt = {
  kind: 'answer',
  name: 'control',
  title: 'Take over the desktop',
  description: "get a link of your own to take over this thread's desktop",
  needsTool: 'control_desktop',
  needsThread: true,
  isMeant: (argument) => argument === '',
  async answer(context) {
    const desktop = await ensureDesktop(context.core, await desktopOfPlace(context));
    return {
      text: `To take over ${titleOf(desktop)}:`,
      shown: { id: desktop.id, link: 'control', for: context.worker },
      alone: true,
    };
  },
};
