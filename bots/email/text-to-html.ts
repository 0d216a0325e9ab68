/**
 * A text of markdown as HTML for a mail: paragraphs, lines, links and bold words. Other marks stay as they are written, as all of
 * them do in the text part.
 */
export function textToHtml(text: string): string {
  return text
    .trim()
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) => `<p style="margin:0 0 16px">${linked(paragraph).replaceAll('\n', '<br>\n')}</p>`)
    .join('\n');
}

/** Without the full stop or bracket that ends the sentence around it. */
const address = /https?:\/\/[^\s<>"']{1,2000}[^\s<>"'.,;:!?)\]]/g;

function linked(text: string): string {
  let html = '';
  let from = 0;
  for (const { 0: url, index } of text.matchAll(address)) {
    html += `${emphasised(escaped(text.slice(from, index)))}<a href="${escaped(url)}">${escaped(url)}</a>`;
    from = index + url.length;
  }
  return html + emphasised(escaped(text.slice(from)));
}

function emphasised(html: string): string {
  return html.replace(/\*\*(?=[^\s*])([^*\n]{0,500}[^\s*])\*\*/g, '<strong>$1</strong>');
}

/** Character references for what means something in HTML, in text and in attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
