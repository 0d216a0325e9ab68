import type { Said } from './find-said.ts';

const noModel =
  'No model is set, so I only look up what was said. To have me think and write: `npx switchboard config set MODEL anthropic/<model>` (or `openai/<model>`, `openai-compatible/<model>`) and its key, then start Switchboard again.';

/** The answer to something that asks for nothing in particular, a greeting. */
export function greet(): string {
  return `Hello. Ask me about something that was said, with a few of its words: a name, a number, a subject.\n\n${noModel}`;
}

/** The answer when up to three fitting messages were found, or none. Markdown that reads as well as plain text. */
export function answerWith(found: readonly Said[]): string {
  if (found.length === 0)
    return `I found nothing about that in what everybody here may read. Other words may help: a name, a number, a subject.\n\n${noModel}`;
  const opening = found.length === 1 ? 'This was said about it:' : 'These were said about it:';
  return [opening, ...found.map(quoted), noModel].join('\n\n');
}

function quoted(said: Said): string {
  const lines = said.quote
    .trim()
    .split(/\r?\n/)
    .map((line) => `> ${line}`.trimEnd());
  return [...lines, '', `— ${source(said)}`].join('\n');
}

function source(said: Said): string {
  const when = `${said.when.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const subject = oneLine(said.subject);
  const about = subject === '' ? '' : `, "${subject}"`;
  return `${oneLine(said.who) || 'a system'}, ${when}${about}: ${link(said)}`;
}

/**
 * Where the original is. Mail programs open `mid:` URLs (RFC 2392 §2: the Message-ID without its angle brackets, escaped); what
 * was said elsewhere has no address yet, and is named by its id.
 */
function link({ messageId, thread, id }: Said): string {
  if (messageId === null) return `thread ${thread}, message ${id}`;
  const bare = messageId.trim().replace(/^<|>$/g, '');
  return `<mid:${encodeURIComponent(bare).replaceAll('%40', '@')}>`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
