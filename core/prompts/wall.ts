import { InvalidInputError } from '../errors.ts';
import { requireNoGuest } from '../organisation/require-no-guest.ts';
import type { AnswerPrompt } from './prompt.ts';

/** Gives a person a link of their own to all Desktops that they may see. */
export const wall: AnswerPrompt = {
  kind: 'answer',
  name: 'wall',
  title: 'All desktops',
  description: 'get a link of your own to all desktops that you may see',
  needsThread: true,
  isMeant: (argument) => argument === '',
  async answer({ core, organisation, worker, place }) {
    if (!place) throw new InvalidInputError('say it in a thread: the link is for you alone');
    await requireNoGuest(core.database, organisation, [worker]);
    return { text: 'All desktops that you may see:', shown: { id: null, link: 'wall', for: worker }, alone: true };
  },
};
