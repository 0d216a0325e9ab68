import type { DesktopCard } from '../../core/delivery/door.ts';
import { shrinkStill } from './shrink-still.ts';

/** An Adaptive Card (adaptivecards.io/explorer), as far as it is made here. */
export interface AdaptiveCard {
  type: 'AdaptiveCard';
  $schema: 'http://adaptivecards.io/schemas/adaptive-card.json';
  /** Teams on telephones shows cards up to 1.5. */
  version: '1.5';
  body: readonly object[];
  actions: readonly object[];
}

/** What comes back with a click at "Take over": the person's command. */
export const takeOverValue = { switchboard: 'control' } as const;

/**
 * A message may take 28 KB, counted as UTF-16, and Microsoft's newer and larger limits are not promised everywhere: 14,000 units, some
 * of which are for what is around the card.
 */
const unitsAtMost = 13_000;

/**
 * A Desktop as a card: what is said, its picture if there is one that fits, and its links.
 *
 * @param text markdown, of which a card shows emphasis, lists and links; '' for none
 * @param leftOut told why there is no picture although there is a still
 */
export async function desktopCard(
  card: DesktopCard,
  text: string,
  leftOut: (why: unknown) => void,
): Promise<AdaptiveCard> {
  const without = cardWith(card, text, undefined);
  const room = unitsAtMost - JSON.stringify(without).length;
  if (!card.still) return without;
  try {
    return cardWith(card, text, await shrinkStill(card.still.data, room));
  } catch (error) {
    leftOut(error);
    return without;
  }
}

function cardWith(card: DesktopCard, text: string, picture: string | undefined): AdaptiveCard {
  const { title, watchUrl, controlUrl, offersControl } = card;
  const opens = (name: string, url: string) => ({ type: 'Action.OpenUrl', title: name, url });
  const watch = opens('Watch', watchUrl);
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    body: [
      ...(text === '' ? [] : [{ type: 'TextBlock', text, wrap: true }]),
      { type: 'TextBlock', text: title, weight: 'Bolder', wrap: true },
      ...(picture
        ? [{ type: 'Image', url: picture, altText: `${title}, as it was when this was sent`, selectAction: watch }]
        : []),
    ],
    actions: [
      ...(controlUrl ? [opens('Open and control', controlUrl)] : []),
      watch,
      ...(offersControl && !controlUrl ? [{ type: 'Action.Submit', title: 'Take over', data: takeOverValue }] : []),
    ],
  };
}
