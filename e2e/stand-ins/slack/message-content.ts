import { SlackApiError } from './api-error.ts';
import { type Arguments, jsonOf, textOf } from './read-arguments.ts';

/** What a message consists of, after Slack's checks. */
export type MessageContent = { text: string; blocks?: unknown[] };

const blockTypes = new Set(['section', 'divider', 'header', 'context', 'image', 'actions', 'rich_text', 'markdown']);
const mostBlocks = 50;
/** All markdown blocks of a message together (docs.slack.dev/reference/block-kit/blocks/markdown-block). */
const markdownAtMost = 12_000;
const sectionAtMost = 3000;

/**
 * The content of chat.postMessage and chat.update.
 *
 * @param textAtMost 40,000 characters for a new message, 4,000 for an edit; Slack cuts the former, we refuse both
 * @throws SlackApiError
 */
export function messageContent(args: Arguments, textAtMost: number): MessageContent {
  const text = textOf(args, 'text');
  const markdown = textOf(args, 'markdown_text');
  const blocks = jsonOf(args, 'blocks', 'invalid_blocks_format');
  if (markdown !== undefined) {
    if (text !== undefined || blocks !== undefined) throw new SlackApiError('markdown_text_conflict');
    if ([...markdown].length > markdownAtMost) throw new SlackApiError('msg_too_long');
    if (markdown.trim() === '') throw new SlackApiError('no_text');
    return { text: markdown };
  }
  if (blocks !== undefined) checkBlocks(blocks);
  const hasBlocks = Array.isArray(blocks) && blocks.length > 0;
  if ((text ?? '').trim() === '' && !hasBlocks) throw new SlackApiError('no_text');
  if ([...(text ?? '')].length > textAtMost) throw new SlackApiError('msg_too_long');
  return { text: text ?? '', ...(hasBlocks ? { blocks: blocks as unknown[] } : {}) };
}

function checkBlocks(blocks: unknown): void {
  if (!Array.isArray(blocks)) throw new SlackApiError('invalid_blocks_format');
  if (blocks.length > mostBlocks) throw new SlackApiError('invalid_blocks');
  let markdown = 0;
  for (const block of blocks as Record<string, unknown>[]) {
    if (typeof block !== 'object' || block === null || !blockTypes.has(String(block.type)))
      throw new SlackApiError('invalid_blocks');
    if (block.type === 'markdown') {
      if (typeof block.text !== 'string' || block.text.trim() === '') throw new SlackApiError('invalid_blocks');
      markdown += [...block.text].length;
    }
    const text = (block.text as { text?: unknown } | undefined)?.text;
    if (block.type === 'section' && typeof text === 'string' && text.length > sectionAtMost)
      throw new SlackApiError('invalid_blocks');
  }
  if (markdown > markdownAtMost) throw new SlackApiError('msg_blocks_too_long');
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
