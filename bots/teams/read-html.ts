import { convert, type Formatter, type HtmlToTextOptions } from 'html-to-text';

/** What a rich message says, its mentions replaced by what `nameMention` gives for their number. */
export interface RichText {
  text: string;
  /** The message that it answers, where the person chose "reply": its id, and what is shown of it. */
  quoted?: { message: string; text: string };
}

/** Teams takes about 100 KB of a message; a longer one is cut, because the conversion blocks the process. */
const longest = 100_000;
const limits = { maxInputLength: longest, maxDepth: 100, maxChildNodes: 10_000, ellipsis: '…' };

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
  let quoted: RichText['quoted'];
  const mention: Formatter = (element, _walk, builder) => {
    const number = element.attribs.itemid ?? element.attribs.id;
    const named = nameMention(
      number && /^\d{1,4}$/.test(number) ? Number(number) : undefined,
      linesIn(element.children).join(' '),
    );
    if (named !== '') builder.addInline(named);
  };
  const reply: Formatter = (element) => {
    const message = element.attribs.itemid;
    if (message) quoted = { message, text: linesIn(element.children).join('\n').slice(0, 1000) };
  };
  try {
    const text = convert(html.slice(0, longest), {
      wordwrap: false,
      limits,
      formatters: { mention, reply, code, emoji },
      selectors,
    });
    return { text, ...(quoted ? { quoted } : {}) };
  } catch {
    return undefined;
  }
}

const selectors: HtmlToTextOptions['selectors'] = [
  { selector: 'blockquote[itemtype="http://schema.skype.com/Reply"]', format: 'reply' },
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
];

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

/** The texts below some nodes of the parser's tree, without the blank ones. */
function linesIn(nodes: readonly unknown[]): string[] {
  return nodes.flatMap((node) => {
    const { data, children } = node as { data?: unknown; children?: readonly unknown[] };
    if (typeof data !== 'string') return linesIn(children ?? []);
    return data.trim() === '' ? [] : [data.trim()];
  });
}
