import { SlackApiError } from './api-error.ts';
import type { SlackFiles } from './files.ts';

type Fields = Record<string, unknown>;

const blockTypes = new Set(['section', 'divider', 'header', 'context', 'image', 'actions', 'rich_text', 'markdown']);
const mostBlocks = 50;
/** All markdown blocks of a message together (docs.slack.dev/reference/block-kit/blocks/markdown-block). */
const markdownAtMost = 12_000;
const sectionAtMost = 3000;
const mostElements = 25;
const styles: unknown[] = [undefined, 'primary', 'danger'];

/**
 * The blocks of a message, as docs.slack.dev/reference/block-kit describes them.
 *
 * @throws SlackApiError
 */
export function checkBlocks(blocks: unknown, files: SlackFiles): void {
  if (!Array.isArray(blocks)) throw new SlackApiError('invalid_blocks_format');
  if (blocks.length > mostBlocks) throw new SlackApiError('invalid_blocks');
  let markdown = 0;
  for (const [n, block] of (blocks as Fields[]).entries()) {
    if (typeof block !== 'object' || block === null || !blockTypes.has(String(block.type))) throw refused(n, 'type');
    if (block.type === 'markdown') {
      if (typeof block.text !== 'string' || block.text.trim() === '') throw refused(n, 'text');
      markdown += [...block.text].length;
    }
    if (block.type === 'section') checkText(n, block.text, ['mrkdwn', 'plain_text'], sectionAtMost);
    if (block.type === 'image') checkImage(n, block, files);
    if (block.type === 'actions') checkActions(n, block);
  }
  if (markdown > markdownAtMost) throw new SlackApiError('msg_blocks_too_long');
}

/** A file can be shown once Slack has looked at it; before that it is as if it were not there. */
function checkImage(n: number, block: Fields, files: SlackFiles): void {
  if (typeof block.alt_text !== 'string' || block.alt_text === '' || block.alt_text.length > 2000)
    throw refused(n, 'alt_text');
  if (block.title !== undefined) checkText(n, block.title, ['plain_text'], 2000);
  if ((block.image_url === undefined) === (block.slack_file === undefined)) throw refused(n, 'slack_file');
  if (block.slack_file === undefined) return;
  const file = files.find(String((block.slack_file as Fields).id));
  if (!file || !files.isReady(file)) throw refused(n, 'slack_file');
}

function checkActions(n: number, block: Fields): void {
  const elements = block.elements as Fields[] | undefined;
  if (!Array.isArray(elements) || elements.length === 0 || elements.length > mostElements) throw refused(n, 'elements');
  const ids = new Set<unknown>();
  for (const { type, text, action_id: id, url, value, style } of elements) {
    if (type !== 'button') throw refused(n, 'elements');
    checkText(n, text, ['plain_text'], 75);
    if (typeof id !== 'string' || id === '' || id.length > 255 || ids.has(id)) throw refused(n, 'action_id');
    ids.add(id);
    if (url !== undefined && (typeof url !== 'string' || url.length > 3000 || !URL.canParse(url)))
      throw refused(n, 'url');
    if (value !== undefined && (typeof value !== 'string' || value.length > 2000)) throw refused(n, 'value');
    if (!styles.includes(style)) throw refused(n, 'style');
  }
}

function checkText(n: number, given: unknown, types: readonly string[], atMost: number): void {
  const { type, text } = (given ?? {}) as Fields;
  if (!types.includes(String(type)) || typeof text !== 'string' || text === '' || text.length > atMost)
    throw refused(n, 'text');
}

function refused(n: number, field: string): SlackApiError {
  return new SlackApiError('invalid_blocks', { errors: [`invalid ${field} [json-pointer:/blocks/${n}/${field}]`] });
}
