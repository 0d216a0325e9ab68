import { z } from 'zod';
import type { Activity } from './activity.ts';
import { takeOverValue } from './desktop-card.ts';
import type { WrittenText } from './read-text.ts';

const clicked = z.object({ switchboard: z.literal(takeOverValue.switchboard) });

/**
 * A click at "Take over" (Action.Submit: a message without text, and with the button's data as its value) as what the person would
 * have written instead. Undefined: it is no click of ours.
 */
export function readClick(activity: Activity): WrittenText | undefined {
  const { success, data } = clicked.safeParse(activity.value);
  return success ? { text: data.switchboard, mentioned: true } : undefined;
}
