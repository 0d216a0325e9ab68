import type { End } from '../connection/connection.ts';
import type { WhyStills } from '../picture/picture.ts';

/** What a page says instead of a picture: what is the matter and what to do. */
export interface Words {
  title: string;
  text: string;
}

const askAgain = 'Say “desktop” in the thread to get a new link.';

/** Why the page has ended. `over`: the Desktop is, and nothing is wrong. */
export const endings: Record<End, Words & { over: boolean; mayRetry: boolean }> = {
  stopped: {
    title: 'This desktop has stopped',
    text: 'It starts again when its agent needs it, or when somebody says “desktop” in the thread.',
    over: true,
    mayRetry: false,
  },
  revoked: {
    title: 'This link was withdrawn',
    text: `Its desktop was stopped or its thread closed. ${askAgain}`,
    over: true,
    mayRetry: false,
  },
  expired: { title: 'This link has expired', text: askAgain, over: false, mayRetry: false },
  unauthorised: {
    title: 'This link does not open this desktop',
    text: `Open the whole link from the message once more. ${askAgain}`,
    over: false,
    mayRetry: false,
  },
  no_token: {
    title: 'This address is not the whole link',
    text: `Open the link from the message in the thread: its last part is the key. ${askAgain}`,
    over: false,
    mayRetry: false,
  },
  unreachable: {
    title: 'The desktop cannot be reached',
    text: 'Check your connection, then try again.',
    over: false,
    mayRetry: true,
  },
};

/** Why the picture is stills. Where a person may try video again, the note is a button and says so. */
export const stillsNotes: Record<WhyStills, string> = {
  slow: 'Video paused to save bandwidth. Tap to retry.',
  no_first_picture: 'Video does not appear on this device, so here are stills. Tap to retry.',
  broken: 'Video stopped working here, so here are stills. Tap to retry.',
  insecure: 'Stills only: browsers play video on https addresses only.',
  no_webcodecs: 'Stills only: this browser is too old for the video. A newer one shows it.',
  no_encoder: 'Stills only: this desktop’s host has no video encoder.',
};

/** "Ada", "Ada and Linus", "Ada, Linus and 2 more". */
export function listed(names: readonly string[]): string {
  const [first = '', second = '', ...more] = names;
  if (names.length <= 1) return first;
  return more.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${more.length} more`;
}
