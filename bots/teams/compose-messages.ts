import type { DesktopCard, OutgoingDelivery } from '../../core/delivery/door.ts';
import { speakerLine } from '../speaker-line.ts';
import type { BindingConfig } from './binding-config.ts';
import { desktopCard } from './desktop-card.ts';
import { cutDraft, splitText } from './split-text.ts';
import type { TeamsMessage } from './teams-message.ts';
import { mentionsOnly } from './welcome-text.ts';

/** Longer texts stand before the card, where Teams shows all of markdown; a card shows a part of it. */
const longestInCard = 1500;
const longestSummary = 200;

/** Told why a Desktop goes without its picture. */
type LeftOut = (why: unknown) => void;

/**
 * What a Delivery says, in the messages that it takes: the text with whatever Teams would not show otherwise (who speaks, where the
 * files are), and its Desktop. None: there is nothing to say.
 */
export async function composeMessages(
  delivery: OutgoingDelivery,
  config: BindingConfig,
  leftOut: LeftOut,
): Promise<TeamsMessage[]> {
  const { event, card, files = [], caption } = delivery;
  const links = (event?.attachments ?? []).map(linkTo);
  // A bot cannot send a file to a channel or a group chat: who reads the message opens it at ours.
  const ours = files.map((file) =>
    file.url ? `${linkTo({ ...file, url: file.url })} (opens for a day at most)` : file.name,
  );
  const parts = [delivery.text.trim(), ...links, ...ours].filter((part) => part !== '');
  if (parts.length === 0 && !card) return [];
  if (caption.speaker) parts.unshift(speakerLine(caption.speaker));
  if (caption.help && config.kind === 'channel' && !config.hearsAll) parts.push(mentionsOnly);
  const text = parts.join('\n\n');
  if (!event) return [{ text: cutDraft(text) }];
  // What was shown as a text stays one.
  return await withDesktop(text, card, leftOut, delivery.externalId === null);
}

function linkTo({ name, url }: { name: string; url: string }): string {
  return `[${name.replaceAll(/[[\]\n]/g, ' ')}](${url})`;
}

/** The same for one person alone. */
export async function composePrivate(
  text: string,
  card: DesktopCard | undefined,
  leftOut: LeftOut,
): Promise<TeamsMessage[]> {
  return await withDesktop(text.trim(), card, leftOut, true);
}

async function withDesktop(
  text: string,
  card: DesktopCard | undefined,
  leftOut: LeftOut,
  mayBeInCard: boolean,
): Promise<TeamsMessage[]> {
  if (!card) return splitText(text).map((piece) => ({ text: piece }));
  const inCard = mayBeInCard && text.length <= longestInCard;
  const summary = (text || card.title).slice(0, longestSummary).toWellFormed();
  const shown = { card: await desktopCard(card, inCard ? text : '', leftOut), summary: inCard ? summary : card.title };
  return inCard ? [shown] : [...splitText(text).map((piece) => ({ text: piece })), shown];
}
