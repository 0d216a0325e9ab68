import type { AdaptiveCard } from './desktop-card.ts';

/**
 * What goes out as one message: text or a card, never both. Teams makes two messages of an activity that has both, and tells the id
 * of neither ("Send and receive messages", message splitting).
 */
export type TeamsMessage =
  | { text: string }
  | {
      card: AdaptiveCard;
      /** What notifications say. */
      summary: string;
    };
