import type { DesktopCard, OutgoingDelivery } from '../../core/delivery/door.ts';
import { speakerLine } from '../speaker-line.ts';
import { desktopBlocks } from './desktop-blocks.ts';
import { type SlackContent, textToSlack } from './text-to-slack.ts';

/** A message that shows its content with a picture (the id of an uploaded still) or without one. */
export type Composed = (picture: string | undefined) => SlackContent;

/**
 * The text of a Delivery with who says it, links to what is attached (such files lie elsewhere and are not copied), and its Desktop.
 */
export function composeMessage(delivery: OutgoingDelivery): Composed {
  const { event, card, caption } = delivery;
  const attached = (event?.attachments ?? []).map(({ name, url }) => {
    const label = name.replace(/[[\]]/g, '\\$&');
    return url ? `[${label}](${url})` : `${label} (cannot be shown in Slack)`;
  });
  const text = delivery.text.trim() || card?.title || (delivery.files ?? []).map(({ name }) => name).join(', ');
  const markdown = [...(caption.speaker ? [speakerLine(caption.speaker)] : []), text, ...attached].join('\n\n');
  return withDesktop(textToSlack(markdown, { growing: event === null }), card);
}

/** What is shown to one person alone, without a picture. */
export function composePrivate(text: string, card: DesktopCard | undefined): SlackContent {
  return withDesktop(textToSlack(text.trim() || card?.title || ''), card)(undefined);
}

function withDesktop(content: SlackContent, card: DesktopCard | undefined): Composed {
  if (!card) return () => content;
  return (picture) => ({ ...content, blocks: [...content.blocks, ...desktopBlocks(card, picture)] });
}
