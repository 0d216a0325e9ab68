import { convert } from 'html-to-text';

/**
 * What a person wrote in an HTML mail, as plain text: lists, quotes (`> `) and the addresses of links are kept, pictures are not.
 * Never throws; of more than a million characters the rest is left out, because the conversion blocks the process.
 */
export function readHtml(html: string): string {
  try {
    const text = convert(html, {
      wordwrap: false,
      limits: { maxInputLength: 1_000_000, maxDepth: 100, maxChildNodes: 10_000, ellipsis: '…' },
      selectors: [
        { selector: 'a', options: { hideLinkHrefIfSameAsText: true, ignoreHref: false, noAnchorUrl: true } },
        { selector: 'img', format: 'skip' },
        ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
        { selector: 'table', options: { uppercaseHeaderCells: false } },
      ],
    });
    return text.replace(/\n{3,}/g, '\n\n').trim();
  } catch {
    return '';
  }
}
