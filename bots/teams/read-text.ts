import type { Activity } from './activity.ts';
import { readHtml } from './read-html.ts';

/** What a person wrote in a message, as markdown, without the mention of the bot. */
export interface WrittenText {
  text: string;
  /** The bot itself was mentioned. */
  mentioned: boolean;
  /** The id of the message that this one quotes ("reply" in a chat). */
  inReplyTo?: string;
}

/**
 * Reads a message. Only the bot's own mention is taken out, by the entities that say whom each mention means; other people stand
 * as `@Name`. The HTML that Teams sends along is preferred: the plain text has lost links, lists and code.
 */
export function readText(activity: Activity): WrittenText {
  const mentions = mentionsOf(activity);
  const mentioned = mentions.some((mention) => mention.own);
  const html = activity.attachments?.find((one) => one?.contentType === 'text/html')?.content;
  const rich =
    typeof html === 'string' ? readHtml(html, (number, shown) => nameOf(mentions, number, shown)) : undefined;
  const text = tidy(rich?.text ?? '') || tidy(fromPlain(activity.text ?? '', mentions));
  const quoted = rich?.quoted;
  if (!quoted) return { text, mentioned };
  const quotation = quoted.text.replaceAll(/^/gm, '> ');
  return { text: quoted.text === '' ? text : `${text}\n\n${quotation}`, mentioned, inReplyTo: quoted.message };
}

/** Stands where the bot's mention was until the text is tidied: a character that means nothing anywhere. */
const mark = '\u{10fffd}';
const takenOut = / ?\u{10fffd} ?/gu;

const mostMentions = 200;

interface Mention {
  own: boolean;
  /** As it stands in the text: `<at>Name</at>`. */
  tag: string;
  name: string;
}

function mentionsOf(activity: Activity): Mention[] {
  const mentions: Mention[] = [];
  for (const entity of activity.entities ?? []) {
    if (entity?.type?.toLowerCase() !== 'mention') continue;
    if (mentions.length >= mostMentions) break;
    // No name is this long, and taking tags out of a text costs the square of its length.
    const tag = (entity.text ?? '').slice(0, 1000);
    const name = tag.replaceAll(/<[^>]*>/g, '').trim() || entity.mentioned?.name || '';
    mentions.push({ own: entity.mentioned?.id === activity.recipient.id, tag, name });
  }
  return mentions;
}

function nameOf(mentions: readonly Mention[], number: number | undefined, shown: string): string {
  const mention = (number === undefined ? undefined : mentions[number]) ?? mentions.find(({ name }) => name === shown);
  if (mention?.own) return mark;
  const name = shown || mention?.name;
  return name ? `@${name}` : '';
}

function fromPlain(text: string, mentions: readonly Mention[]): string {
  let read = text.replaceAll('&nbsp;', ' ');
  for (const { own, tag, name } of mentions) {
    const at = tag === '' ? -1 : read.indexOf(tag);
    if (at < 0) continue;
    read = `${read.slice(0, at)}${own ? mark : `@${name}`}${read.slice(at + tag.length)}`;
  }
  return read;
}

/** Without what a mention that was taken out leaves behind: `, ` at the head, two blanks within. */
function tidy(text: string): string {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll('\u00a0', ' ')
    .replaceAll(takenOut, ' ')
    .replace(/^[\s,:;]+/, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trimEnd();
}
