import type { Button, KnownBlock } from '@slack/types';
import type { DesktopCard } from '../../core/delivery/door.ts';

/** What a click on a Desktop's buttons is called. Slack tells of clicks on links too. */
export const desktopActions = {
  watch: 'desktop_watch',
  openControl: 'desktop_open_control',
  /** The one that asks for something: it is the person's `control`. */
  takeOver: 'desktop_take_over',
} as const;

/** Slack's own limit for the text of a title is 2000 characters; a longer name than this helps nobody. */
const titleAtMost = 150;

/**
 * A Desktop as blocks (docs.slack.dev/reference/block-kit): its picture or else its title, and its buttons.
 *
 * @param picture the id of the uploaded still; undefined: there is none
 */
export function desktopBlocks(card: DesktopCard, picture: string | undefined): KnownBlock[] {
  const title = { type: 'plain_text' as const, text: card.title.slice(0, titleAtMost) || 'Desktop' };
  const shown: KnownBlock = picture
    ? { type: 'image', slack_file: { id: picture }, title, alt_text: `${title.text}, as it was when this was sent` }
    : { type: 'section', text: title };
  return [shown, { type: 'actions', elements: buttonsOf(card) }];
}

function buttonsOf({ watchUrl, controlUrl, offersControl }: DesktopCard): Button[] {
  const button = (action: string, text: string, rest: Partial<Button>): Button => ({
    type: 'button',
    action_id: action,
    text: { type: 'plain_text', text },
    ...rest,
  });
  const control = controlUrl
    ? [button(desktopActions.openControl, 'Open and control', { url: controlUrl, style: 'primary' })]
    : [];
  const takeOver = offersControl && !controlUrl ? [button(desktopActions.takeOver, 'Take over', {})] : [];
  const watch = button(desktopActions.watch, 'Watch', {
    url: watchUrl,
    ...(controlUrl ? {} : { style: 'primary' as const }),
  });
  return [...control, watch, ...takeOver];
}
