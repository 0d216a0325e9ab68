import { describe, expect, it } from 'vitest';
import { mentions, textFromSlack } from './text-from-slack.ts';

const names: Record<string, string> = { U2: 'Ben' };
const read = (text: string) => textFromSlack(text, { botUser: 'U0BOT', nameOf: (user) => names[user] });

describe('a text of Slack as markdown', () => {
  it.each([
    ['<@U0BOT> hello', 'hello'],
    ['<@U0BOT|switchboard>, hello', 'hello'],
    ['  <@U0BOT>: hello', 'hello'],
    ['hey <@U0BOT> can you look?', 'hey can you look?'],
    ['ask <@U0BOT>', 'ask'],
    ['<@U0BOT>', ''],
    ['<@U0BOT>\n- one\n- two', '- one\n- two'],
  ])('leaves out the own mention: %j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    ['<@U2> and <@U3> and <@U4|dora>', '@Ben and @U3 and @dora'],
    ['see <#C1|general> and <#C2|>', 'see #general and #C2'],
    ['<!here> <!subteam^S1|@team> <!date^1392734382^{date}|in 2014>', '@here @team in 2014'],
  ])('names who and what is mentioned: %j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    ['<https://example.com/a?b=1&amp;c=2|the page>', '[the page](https://example.com/a?b=1&c=2)'],
    ['<https://example.com>', 'https://example.com'],
    ['<http://example.com|example.com>', 'http://example.com'],
    ['<mailto:a@example.com|a@example.com>', 'a@example.com'],
    ['<https://example.com|[x]>', '[\\[x\\]](https://example.com)'],
  ])('keeps links: %j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    ['*bold*, _leaning_ and ~gone~', '**bold**, _leaning_ and ~~gone~~'],
    ['(*a b*) 2 * 3 * 4 a*b*c', '(**a b**) 2 * 3 * 4 a*b*c'],
    ['&gt; said\nand &lt;b&gt; &amp;amp;', '> said\nand <b> &amp;'],
    ['`*not bold* &lt;x&gt;` *bold*', '`*not bold* <x>` **bold**'],
    ['```\nif (a &lt; b) *p* = <https://example.com|example.com>;\n```', '```\nif (a < b) *p* = example.com;\n```'],
  ])('reads its marks, but not inside code: %j', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it('takes time in proportion to a long text', () => {
    const started = performance.now();
    for (const piece of ['*', '~', '`', '<@', '<http://', ' <@U0BOT>', '*a '])
      read(piece.repeat(200_000 / piece.length));
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('a mention of the app', () => {
  it.each([
    ['<@U0BOT> hi', true],
    ['hi <@U0BOT|switchboard>', true],
    ['<@U0BOTTLE> hi', false],
    ['@U0BOT hi', false],
  ])('%j: %s', (text, expected) => {
    expect(mentions(text, 'U0BOT')).toBe(expected);
  });
});
