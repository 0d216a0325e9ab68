import { describe, expect, it } from 'vitest';
import { activity } from './activity.ts';
import { readText } from './read-text.ts';

const bot = { id: '28:bot', name: 'Switchboard' };
const own = { type: 'mention', mentioned: bot, text: '<at>Switchboard</at>' };
const megan = { type: 'mention', mentioned: { id: '29:megan', name: 'Megan Bowen' }, text: '<at>Megan Bowen</at>' };

function read(message: { text?: string; html?: string; entities?: unknown[] }) {
  return readText(
    activity.parse({
      type: 'message',
      serviceUrl: 'https://smba.trafficmanager.net/teams/',
      recipient: bot,
      conversation: { id: 'a:1' },
      text: message.text,
      entities: message.entities ?? [],
      attachments: message.html === undefined ? [] : [{ contentType: 'text/html', content: message.html }],
    }),
  );
}

describe('plain text', () => {
  it('loses the mention of the bot and keeps those of people', () => {
    const written = read({ text: '<at>Switchboard</at> ask <at>Megan Bowen</at>', entities: [own, megan] });
    expect(written).toEqual({ text: 'ask @Megan Bowen', mentioned: true });
  });

  it('goes by the ids of the entities, not by the names that people gave themselves', () => {
    const namesake = { ...own, mentioned: { id: '29:evil', name: 'Switchboard' } };
    expect(read({ text: '<at>Switchboard</at> hi', entities: [namesake] })).toEqual({
      text: '@Switchboard hi',
      mentioned: false,
    });
    expect(read({ text: '<at>Switchboard</at> <at>Switchboard</at> hi', entities: [namesake, own] })).toEqual({
      text: '@Switchboard hi',
      mentioned: true,
    });
  });

  it('keeps a tag that is no mention, as somebody typed it', () => {
    expect(read({ text: 'what does <at>x</at> do?' })).toEqual({ text: 'what does <at>x</at> do?', mentioned: false });
  });

  it.each([
    ['<at>Switchboard</at>, hello', 'hello'],
    ['<at>Switchboard</at>: hello', 'hello'],
    ['<at>Switchboard</at>&nbsp;hello', 'hello'],
    ['hey <at>Switchboard</at> you', 'hey you'],
    ['hello <at>Switchboard</at>\r\n', 'hello'],
    ['<at>Switchboard</at> a  b', 'a  b'],
    ['<at>Switchboard</at>\n  indented\n    more', 'indented\n    more'],
    ['<at>Switchboard</at>', ''],
  ])('of %j leaves %j', (text, expected) => {
    expect(read({ text, entities: [own] }).text).toBe(expected);
  });
});

describe('rich text', () => {
  it('is read from the HTML, mentions by their numbers', () => {
    const html =
      '<p><at id="0">Switchboard</at>&nbsp;please ask <at id="1">Megan Bowen</at> about <a href="https://example.com/x">this</a></p>' +
      '<ul><li>one</li><li>two</li></ul>';
    expect(read({ html, text: 'flat', entities: [own, megan] })).toEqual({
      text: 'please ask @Megan Bowen about this (https://example.com/x)\n- one\n- two',
      mentioned: true,
    });
  });

  it('knows the older form of a mention', () => {
    const span = (number: number, name: string) =>
      `<span itemscope itemtype="http://schema.skype.com/Mention" itemid="${number}">${name}</span>`;
    const html = `<div><div>${span(0, 'Switchboard')}&nbsp;and ${span(1, 'Megan Bowen')}, hello</div></div>`;
    expect(read({ html, entities: [own, megan] }).text).toBe('and @Megan Bowen, hello');
  });

  it('keeps code as code, line by line, and emoji as characters', () => {
    const html =
      '<p><at id="0">Switchboard</at> why? <emoji alt="🤔"></emoji></p><pre class="language-ts"><code>if (a) {<br>  b();<br>}</code></pre>';
    expect(read({ html, entities: [own] }).text).toBe('why? 🤔\n```\nif (a) {\n  b();\n}\n```');
  });

  it('puts the message that it answers behind it as a quote, and names it', () => {
    const html =
      '<blockquote itemscope="" itemtype="http://schema.skype.com/Reply" itemid="1727000000001"><strong itemprop="mri">Megan</strong>' +
      '<p itemprop="preview">We ship on Friday</p></blockquote><p>is that still right?</p>';
    expect(read({ html, text: 'MeganWe ship on Friday\r\nis that still right?' })).toEqual({
      text: 'is that still right?\n\n> Megan\n> We ship on Friday',
      mentioned: false,
      inReplyTo: '1727000000001',
    });
  });

  it('of whatever size and shape is read in no time', () => {
    const hostile = ['<blockquote ', '<at id="', '<pre><div>', '<', '&', '<ul><li>', 'a\n'].map((part) =>
      part.repeat(40_000),
    );
    const started = performance.now();
    for (const html of hostile) read({ html, text: html, entities: [{ ...own, text: '<'.repeat(500_000) }] });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('falls back on the plain text where the HTML says nothing', () => {
    expect(read({ html: '<attachment id="f"></attachment>', text: 'see the file' }).text).toBe('see the file');
  });
});
