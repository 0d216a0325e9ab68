import { describe, expect, it } from 'vitest';
import { textToSlack } from './text-to-slack.ts';

const blockOf = (markdown: string, options?: { growing?: boolean }) =>
  textToSlack(markdown, options).blocks[0]?.text ?? '';

describe('a reply as a message of Slack', () => {
  it('is shown as the markdown it is', () => {
    const markdown = '# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |';
    expect(blockOf(markdown)).toBe(markdown);
  });

  it.each([
    ['**bold** and *leaning* and ~~gone~~', '*bold* and _leaning_ and ~gone~'],
    ['# Title\ntext', '*Title*\ntext'],
    ['- one\n  - two\n* three', '• one\n  • two\n• three'],
    ['[a page](https://example.com/a_(b)?c=1&d=2)', '<https://example.com/a_(b)?c=1&amp;d=2|a page>'],
    ['a < b & c > d', 'a &lt; b &amp; c &gt; d'],
    ['> said\n> again', '> said\n> again'],
    ['`**code** <x>` and 2 * 3', '`**code** &lt;x&gt;` and 2 * 3'],
    ['```js\nif (a && b) {}\n```', '```\nif (a &amp;&amp; b) {}\n```'],
    ['snake_case_name and __bold__', 'snake_case_name and *bold*'],
  ])('has a text for notifications in Slack’s own words: %j', (markdown, expected) => {
    expect(textToSlack(markdown).text).toBe(expected);
  });

  it.each([
    ['<!channel> look', '@channel look'],
    ['<!here|here> and <!subteam^S1|@team>', 'here and @team'],
    ['<!EVERYONE>', '@EVERYONE'],
  ])('calls nobody: %j', (markdown, expected) => {
    expect(blockOf(markdown)).toBe(expected);
  });

  it('that is too long is cut between words and says so', () => {
    const text = 'word '.repeat(5000);
    const shown = blockOf(text);
    expect(shown.length).toBeLessThanOrEqual(12_000);
    expect(shown).toMatch(/word\n\n_\(Cut here: \d+ more characters do not fit/);
    expect(textToSlack(text).text.length).toBeLessThanOrEqual(4000);
    expect(blockOf(text, { growing: true })).not.toContain('Cut here');
  });

  it('closes a code block that it cuts', () => {
    expect(blockOf(`\`\`\`\n${'x = 1;\n'.repeat(3000)}\`\`\``)).toMatch(/\n```\n\n_\(Cut here/);
  });

  it('never splits a character', () => {
    expect(blockOf('😀'.repeat(10_000), { growing: true })).toMatch(/^(😀)+$/u);
  });

  it('takes time in proportion to a long text', () => {
    const started = performance.now();
    for (const piece of ['*', '**a', '[', '[a](', '`', '```', '~~', '_', '# ', '> '])
      textToSlack(piece.repeat(Math.floor(200_000 / piece.length)));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
