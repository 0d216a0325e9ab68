import { z } from 'zod';
import { encodeCursor } from '../streams/event-cursor.ts';
import type { BriefedEvent } from './runtime.ts';

/** What a slash command left in `extra.prompt`: the text that it stands for. */
const Prompt = z.object({ name: z.string(), text: z.string() });

/** So much of `extra` is shown, in characters: it is the door's own, and a model seldom needs it. */
const extraAtMost = 2000;

/**
 * One Event as a model sees it: every filled field of the envelope in the tag, the body inside. Data cannot break out: tags of our
 * own in it are escaped. An Event made by a prompt shows the text of the prompt. `place`: which of the new messages it is.
 */
export function renderMessage(event: BriefedEvent, place?: { number: number; count: number }): string {
  const { prompt: given, ...extra } = event.extra;
  const prompt = Prompt.safeParse(given).data;
  const attributes = {
    id: event.id,
    n: place ? `${place.number}/${place.count}` : '',
    from: event.from,
    author: event.authorName,
    worker: event.author === event.from ? '' : (event.author ?? ''),
    source: event.sourceKind,
    at: event.createdAt.toISOString(),
    edited_at: event.editedAt?.toISOString() ?? '',
    to: event.to.join(', '),
    subject: event.subject,
    stream: event.stream,
    thread: event.thread,
    in_reply_to: event.inReplyTo ?? '',
    message_id: event.messageId ?? '',
    attachments: event.attachments
      .map((file) => `${file.name} (${file.type}, ${file.size} bytes) ${file.url}`)
      .join('; '),
    prompt: prompt?.name ?? '',
    extra: Object.keys(extra).length > 0 ? JSON.stringify(extra).slice(0, extraAtMost) : '',
  };
  const tag = Object.entries(attributes)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}="${escapeAttribute(value)}"`)
    .join(' ');
  const body = event.deletedAt ? '(deleted)' : escapeOurTags(prompt?.text ?? event.body);
  const block = `<message ${tag}>\n${body}\n</message>`;
  return event.cut ? `${block}\n${howToReadOn(event)}` : block;
}

function howToReadOn(event: BriefedEvent): string {
  const since = encodeCursor({ kind: 'rest', event: event.id, offset: [...event.body].length });
  return `(${event.id} is cut here. The rest: read_events ${JSON.stringify({ since })})`;
}

function escapeAttribute(value: string): string {
  return value
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Blanks and invisible characters inside the tag would fool a reader as well. */
function escapeOurTags(text: string): string {
  return text.replace(/<(?=[\s\p{Cf}/]*m[\p{Cf}]*e[\p{Cf}]*s[\p{Cf}]*s[\p{Cf}]*a[\p{Cf}]*g[\p{Cf}]*e)/giu, '&lt;');
}
