import { titleOf } from '../desktops/desktop.ts';
import { storeFile } from '../desktops/files.ts';
import { InvalidInputError } from '../errors.ts';
import { desktopOfPlace } from './desktop-of-place.ts';
import type { AnswerPrompt } from './prompt.ts';

const usualSeconds = 30;
/** So much is kept (sandbox/stream/recordings/clip-ring.ts). */
const mostSeconds = 60;

/** Posts what the Desktop showed lately, as a file. */
export const clip: AnswerPrompt = {
  kind: 'answer',
  name: 'clip',
  title: 'A clip of the desktop',
  description: `post the last seconds of this thread's desktop as a video (${usualSeconds})`,
  argument: { name: 'seconds', description: `how many, at most ${mostSeconds}`, required: false },
  needsThread: true,
  isMeant: (argument) => /^\d{0,4}$/.test(argument),
  async answer(context, argument) {
    const { desktop, place } = await desktopOfPlace(context);
    const seconds = argument === '' ? usualSeconds : Number(argument);
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > mostSeconds)
      throw new InvalidInputError(`say how many seconds, 1 to ${mostSeconds}: \`/clip 60\``);
    if (desktop?.state !== 'running') return 'No desktop is running here: say `desktop` to start it.';
    const { core, organisation } = context;
    const data = await (await core.desktops.channels.to(desktop)).clip(seconds);
    const name = `${desktop.workerName.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${seconds}s.mp4`;
    const file = await storeFile(core, organisation, place.thread, { name, type: 'video/mp4', data });
    return { text: `The last ${seconds} seconds of ${titleOf(desktop)}.`, attachments: [file] };
  },
};
