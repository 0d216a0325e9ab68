import { expect, it } from 'vitest';
import { textToHtml } from './text-to-html.ts';

const inside = (text: string) => textToHtml(text).replaceAll(/<\/?p[^>]*>/g, '');

it.each([
  ['one\ntwo\n\n\nthree', 'one<br>\ntwo\nthree'],
  ['a **bold** word, 2 ** 3 ** 4', 'a <strong>bold</strong> word, 2 ** 3 ** 4'],
  ['<script>alert("1")</script> & co', '&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; co'],
  [
    'see https://example.com/a?b=1&c=2.',
    'see <a href="https://example.com/a?b=1&#38;c=2">https://example.com/a?b=1&#38;c=2</a>.',
  ],
  ['(https://example.com/x)', '(<a href="https://example.com/x">https://example.com/x</a>)'],
  ['javascript:alert(1) data:text/html,x', 'javascript:alert(1) data:text/html,x'],
  ['https://example.com/"onclick="x', '<a href="https://example.com/">https://example.com/</a>&#34;onclick=&#34;x'],
])('%j becomes HTML that says the same', (text, html) => {
  expect(inside(text)).toBe(html);
});

it('takes time in proportion to a long text', () => {
  const started = performance.now();
  for (const piece of ['*', '**a', 'https://', 'https://a.', '\n\n', '**a **'])
    textToHtml(piece.repeat(200_000 / piece.length));
  expect(performance.now() - started).toBeLessThan(10_000);
});
