import { SlackApiError } from './api-error.ts';
import { checkBlocks } from './check-blocks.ts';
import type { SlackFiles } from './files.ts';
import { type Arguments, jsonOf, textOf } from './read-arguments.ts';

/** What a message consists of, after Slack's checks. */
export type MessageContent = { text: string; blocks?: unknown[] };

/** Of `markdown_text`. */
const markdownAtMost = 12_000;

/**
 * The content of chat.postMessage and chat.update.
 *
 * @param textAtMost 40,000 characters for a new message, 4,000 for an edit; Slack cuts the former, we refuse both
 * @throws SlackApiError
 */
export function messageContent(args: Arguments, textAtMost: number, files: SlackFiles): MessageContent {
  const text = textOf(args, 'text');
  const markdown = textOf(args, 'markdown_text');
  const blocks = jsonOf(args, 'blocks', 'invalid_blocks_format');
  if (markdown !== undefined) {
    if (text !== undefined || blocks !== undefined) throw new SlackApiError('markdown_text_conflict');
    if ([...markdown].length > markdownAtMost) throw new SlackApiError('msg_too_long');
    if (markdown.trim() === '') throw new SlackApiError('no_text');
    return { text: markdown };
  }
  if (blocks !== undefined) checkBlocks(blocks, files);
  const hasBlocks = Array.isArray(blocks) && blocks.length > 0;
  if ((text ?? '').trim() === '' && !hasBlocks) throw new SlackApiError('no_text');
  if ([...(text ?? '')].length > textAtMost) throw new SlackApiError('msg_too_long');
  return { text: text ?? '', ...(hasBlocks ? { blocks: blocks as unknown[] } : {}) };
}

/** Metadata as docs.slack.dev/messaging/message-metadata describes it: a name and a flat object. */
export function metadataOf(
  args: Arguments,
): { event_type: string; event_payload: Record<string, unknown> } | undefined {
  const metadata = jsonOf(args, 'metadata', 'invalid_metadata_format') as Record<string, unknown> | undefined;
  if (metadata === undefined) return undefined;
  const { event_type: type, event_payload: payload, ...rest } = metadata;
  if (typeof type !== 'string' || !/^[a-z][\w.-]{0,254}$/i.test(type) || Object.keys(rest).length > 0)
    throw new SlackApiError('invalid_metadata_format');
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw new SlackApiError('invalid_metadata_format');
  const flat = Object.values(payload).every((value) => ['string', 'number', 'boolean'].includes(typeof value));
  if (!flat) throw new SlackApiError('invalid_metadata_format');
  return { event_type: type, event_payload: payload as Record<string, unknown> };
}
