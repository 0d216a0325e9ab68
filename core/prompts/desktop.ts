import { titleOf } from '../desktops/desktop.ts';
import { ensureDesktop } from '../desktops/ensure-desktop.ts';
import { stopDesktop } from '../desktops/stop-desktop.ts';
import { desktopOfPlace } from './desktop-of-place.ts';
import type { AnswerPrompt } from './prompt.ts';

/**
 * Shows the thread's Desktop, started if need be, or stops it. That it runs is waited for when the answer is rendered
 * (core/delivery/render-event.ts), not while a platform waits for us.
 */
export const desktop: AnswerPrompt = {
  kind: 'answer',
  name: 'desktop',
  title: "The agent's desktop",
  description: "watch this thread's desktop; `desktop stop` ends it",
  argument: { name: 'stop', description: '"stop" to end it', required: false },
  needsThread: true,
  isMeant: (argument) => argument === '' || argument.toLowerCase() === 'stop',
  async answer(context, argument) {
    const placed = await desktopOfPlace(context);
    const { core, organisation, worker: asker } = context;
    if (argument.toLowerCase() === 'stop') {
      const { desktop } = placed;
      const stopped = desktop && (await stopDesktop(core, organisation, desktop.id, 'it was stopped'));
      return stopped ? 'Stopped. Its files are kept: say `desktop` to start it again.' : 'No desktop is running here.';
    }
    const running = await ensureDesktop(core, placed);
    return {
      text: titleOf(running),
      shown: { id: running.id, link: 'watch', for: asker },
      // Its link is the asker's own.
      ...(running.thread === null ? { alone: true } : {}),
    };
  },
};
