import { describe, expect, it } from 'vitest';
import { parseMail } from './parse-mail.ts';

const mail = (text: string) => parseMail(Buffer.from(text.replace(/\r?\n/g, '\r\n')));
const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part.replace(/\n/g, '\r\n')) : Buffer.from(part))),
  );

const head = 'From: Sam <sam@example.com>\nTo: assistant@localhost\nSubject: Lunch\n';

describe('a mail', () => {
  it('is read with its names, ids and text', async () => {
    const content = await mail(
      `${head}Message-ID: <1@example.com>\nIn-Reply-To: <d-1@localhost>\nReferences: <0@example.com>\n <d-1@localhost>\nCc: "Lee, B." <Lee@Example.com>, a: b@c.de;\nReply-To: desk@example.com\n\nHello\n`,
    );
    expect(content).toMatchObject({
      messageId: '<1@example.com>',
      inReplyTo: ['<d-1@localhost>'],
      references: ['<0@example.com>', '<d-1@localhost>'],
      from: [{ address: 'sam@example.com', name: 'Sam' }],
      replyTo: [{ address: 'desk@example.com', name: '' }],
      to: [{ address: 'assistant@localhost', name: '' }],
      cc: [{ address: 'lee@example.com', name: 'Lee, B.' }, { address: 'b@c.de' }],
      subject: 'Lunch',
      text: 'Hello\n',
    });
    expect(content.header('references')).toEqual(['<0@example.com> <d-1@localhost>']);
  });

  it('that has plain text and HTML is taken by its plain text', async () => {
    const content = await mail(
      `${head}Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n`,
    );
    expect(content.text.trim()).toBe('plain');
  });

  it('that has HTML only is read as text, whatever stands around it', async () => {
    const alone = await mail(`${head}Content-Type: text/html\n\n<h1>Hi</h1><p>a &amp; b</p><script>no()</script>`);
    expect(alone.text).toBe('Hi\n\na & b');
    const related = await mail(
      `${head}Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>rich <img src="cid:x"></p>\n--b\nContent-Type: image/png\nContent-ID: <x>\n\nPNG\n--b--\n`,
    );
    expect(related.text).toBe('rich');
    const footer = await mail(
      `${head}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b\nContent-Type: text/plain\n\nfooter\n--b--\n`,
    );
    expect(footer.text).toBe('rich\n\nfooter');
  });

  it('lists its files without their bytes', async () => {
    const content = await mail(
      `${head}Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/pdf; name="=?utf-8?Q?Men=C3=BC.pdf?="\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nAAECAw==\n--b--\n`,
    );
    expect(content.attachments).toEqual([{ name: 'Menü.pdf', type: 'application/pdf', size: 4, url: '' }]);
  });
});

describe('bytes that are not as they should be', () => {
  it('are read in the charset they claim', async () => {
    const content = await parseMail(
      bytes(
        `${head.replace('Lunch', '=?iso-8859-1?Q?Fr=FChst=FCck?=')}Content-Type: text/plain; charset=windows-1252\n\n`,
        [0x80, 0xfc],
      ),
    );
    expect(content).toMatchObject({ subject: 'Frühstück', text: '€ü' });
  });

  it.each([
    [
      'a charset that does not exist',
      bytes(`${head}Content-Type: text/plain; charset=no-such-charset\n\nhello `, [0xff, 0xfe]),
    ],
    ['bytes that are no UTF-8', bytes(`${head}Content-Type: text/plain; charset=utf-8\n\nhello `, [0xc3, 0x28, 0xff])],
    ['no charset at all', bytes(`${head}\nhello `, [0xe4, 0xf6])],
    ['NUL bytes', bytes(`${head}\nhello `, [0, 0])],
    ['NUL in the subject', bytes('From: sam@example.com\nSubject: a', [0], 'b\n\nhello')],
    [
      'half a surrogate pair',
      bytes(`${head}Content-Type: text/plain; charset=utf-16le\n\n`, [...Buffer.from('hello\ud800', 'utf16le')]),
    ],
    ['a broken encoding of the transfer', bytes(`${head}Content-Transfer-Encoding: quoted-printable\n\nhello =ZZ =`)],
    ['a boundary that never comes', bytes(`${head}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello`)],
    ['an encoded word in an unknown charset', bytes('From: sam@example.com\nSubject: =?x-nope?B?////?=\n\nhello')],
  ])('never fail: %s', async (_what, raw) => {
    const content = await parseMail(raw);
    expect(content.from[0]?.address).toBe('sam@example.com');
    expect(content.text).toContain('hello');
    expect(`${content.subject}${content.text}`).not.toContain('\0');
    expect(`${content.subject}${content.text}`.isWellFormed()).toBe(true);
  });

  it('in a subject cannot make another line', async () => {
    expect((await mail('From: a@b.de\nSubject: =?utf-8?Q?one=0D=0ABcc:_two?=\n\n')).subject).toBe('one Bcc: two');
  });

  it('make up no address', async () => {
    const content = await mail('From: =?utf-8?Q?ceo@example.com?= <eve@evil.example>\nReply-To: <not an address>\n\n');
    expect(content.from).toEqual([{ address: 'eve@evil.example', name: 'ceo@example.com' }]);
    expect(content.replyTo).toEqual([]);
  });
});
