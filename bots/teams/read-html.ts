import { convert, type Formatter, type HtmlToTextOptions } from 'html-to-text';

/** What a rich message says, its mentions replaced by what `nameMention` gives for their number. */
export interface RichText {
  text: string;
  /** The message that it answers, where the person chose "reply": its id, and what is shown of it. */
  quoted?: { message: string; text: string };
}

const reply = 'blockquote[itemtype="http://schema.skype.com/Reply"]';
const limits = { maxInputLength: 200_000, maxDepth: 100, maxChildNodes: 10_000, ellipsis: '…' };

/**
 * Reads the HTML that Teams attaches to what people write: lists, links, code and quotes are kept, mentions stand as `<at id="0">`
 * or as a span of http://schema.skype.com/Mention. Undefined where it cannot be read.
 *
 * @param nameMention gets the number of a mention in the activity's list, and the name shown
 */
export function readHtml(
  html: string,
  nameMention: (number: number | undefined, shown: string) => string,
): RichText | undefined {
  try {
    const text = convert(html, { ...options(nameMention) });
    const quotation = /<blockquote[^>]*\bitemtype="http:\/\/schema\.skype\.com\/Reply"[^>]*\bitemid="([^"]+)"/.exec(
      html,
    );
    return { text, ...(quotation?.[1] ? { quoted: { message: quotation[1], text: quotedText(html) } } : {}) };
  } catch {
    return undefined;
  }
}

function options(nameMention: (number: number | undefined, shown: string) => string): HtmlToTextOptions {
  const mention: Formatter = (element, _walk, builder) => {
    const number = element.attribs.itemid ?? element.attribs.id;
    const named = nameMention(
      number && /^\d{1,4}$/.test(number) ? Number(number) : undefined,
      textIn(element.children),
    );
    if (named !== '') builder.addInline(named);
  };
  return {
    wordwrap: false,
    limits,
    formatters: { mention, code, emoji },
    selectors: [
      { selector: reply, format: 'skip' },
      { selector: 'at', format: 'mention' },
      { selector: 'span[itemtype="http://schema.skype.com/Mention"]', format: 'mention' },
      { selector: 'pre', format: 'code' },
      { selector: 'codeblock', format: 'code' },
      { selector: 'emoji', format: 'emoji' },
      { selector: 'img[itemtype="http://schema.skype.com/Emoji"]', format: 'emoji' },
      { selector: 'img', format: 'skip' },
      { selector: 'attachment', format: 'skip' },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, ignoreHref: false, linkBrackets: ['(', ')'] } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
      ...['ul', 'ol', 'p', 'blockquote'].map((selector) => ({
        selector,
        options: { leadingLineBreaks: 1, trailingLineBreaks: 1, itemPrefix: '- ' },
      })),
      { selector: 'table', options: { uppercaseHeaderCells: false } },
    ],
  };
}

const code: Formatter = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1, isPre: true });
  builder.addLiteral('```');
  builder.addLineBreak();
  walk(element.children, builder);
  builder.addLineBreak();
  builder.addLiteral('```');
  builder.closeBlock({ trailingLineBreaks: 1 });
};

const emoji: Formatter = (element, _walk, builder) => {
  if (element.attribs.alt) builder.addInline(element.attribs.alt);
};

function quotedText(html: string): string {
  const text = convert(html, {
    wordwrap: false,
    limits,
    baseElements: { selectors: [reply], returnDomByDefault: false },
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: reply, format: 'block' },
      { selector: 'p', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    ],
  });
  return text.trim().slice(0, 1000);
}

/** The text below some nodes of the parser's tree. */
function textIn(nodes: readonly unknown[]): string {
  const parts = nodes.map((node) => {
    const { data, children } = node as { data?: unknown; children?: readonly unknown[] };
    return typeof data === 'string' ? data : textIn(children ?? []);
  });
  return parts.join('').trim();
}
