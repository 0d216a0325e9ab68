import type { KnownBlock, MarkdownBlock } from '@slack/types';

/** One message's content: what is shown, and the text for notifications and for whatever shows no blocks. */
export interface SlackContent<Shown = KnownBlock> {
  text: string;
  blocks: Shown[];
}

/** A markdown block takes 12,000 characters (docs.slack.dev/reference/block-kit/blocks/markdown-block); some are left for the note. */
const blockAtMost = 11_800;
/** chat.update refuses a text of more than 4,000 characters (msg_too_long). */
const textAtMost = 3900;

/**
 * Markdown as one message of Slack. One reply is one message: what does not fit is cut, and the message says so.
 *
 * @param options `growing`: it is still being written, so that a cut is not worth a word
 */
export function textToSlack(markdown: string, options: { growing?: boolean } = {}): SlackContent<MarkdownBlock> {
  const shown = cut(calm(markdown), blockAtMost, options.growing ?? false);
  return {
    text: cutAt(toMrkdwn(shown), textAtMost),
    blocks: [{ type: 'markdown', text: shown }],
  };
}

/** `<!channel>` would call everybody: an agent's text may hold what somebody else told it to say. */
function calm(markdown: string): string {
  return markdown.replace(/<!(channel|here|everyone|subteam\^[^>|]*)(?:\|([^>]*))?>/gi, (_, word: string, label) =>
    String(label ?? `@${word.split('^')[0]}`),
  );
}

function cut(text: string, atMost: number, growing: boolean): string {
  if (text.length <= atMost) return text;
  const kept = cutAt(text, atMost);
  // An open code block would swallow the note.
  const fence = (kept.match(/^ {0,3}```/gm)?.length ?? 0) % 2 === 1 ? '\n```' : '';
  if (growing) return `${kept}${fence}`;
  const left = text.length - kept.length;
  return `${kept}${fence}\n\n_(Cut here: ${left} more characters do not fit into a Slack message. Ask for the rest in parts.)_`;
}

/** At the end of a paragraph, line or word, if there is one in the last fifth. */
function cutAt(text: string, atMost: number): string {
  if (text.length <= atMost) return text;
  const head = text.slice(0, atMost);
  for (const end of ['\n\n', '\n', ' ']) {
    const at = head.lastIndexOf(end);
    if (at > atMost * 0.8) return head.slice(0, at).trimEnd();
  }
  // never between the halves of a pair
  return head.replace(/[\ud800-\udbff]$/, '');
}

/** Markdown in Slack's own words, for where no blocks are shown. */
function toMrkdwn(markdown: string): string {
  return markdown
    .split(/(```[\s\S]*?(?:```|$)|`[^`\n]+`)/)
    .map((part, n) => (n % 2 === 1 ? escaped(part).replace(/^```\w+\n/, '```\n') : formatted(escaped(part))))
    .join('');
}

const bold = '\u0001';

function formatted(text: string): string {
  return text
    .replace(/^(\s*)[-*+] +/gm, '$1• ')
    .replace(/^#{1,6} +(.+?)(?: +#+)?$/gm, `${bold}$1${bold}`)
    .replace(
      /!?\[([^\]\n]*)\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)(?: "[^"\n]*")?\)/g,
      (_, label: string, url: string) => (label ? `<${url}|${label}>` : `<${url}>`),
    )
    .replace(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, `${bold}$2${bold}`)
    .replace(/(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])/g, '_$1_')
    .replace(/~~(?=\S)(.+?)(?<=\S)~~/g, '~$1~')
    .replaceAll(bold, '*');
}

function escaped(text: string): string {
  // A quotation's sign at the head of a line stays one.
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/^([ \t]*)>|>/gm, (whole, head?: string) => (head === undefined ? '&gt;' : whole));
}
