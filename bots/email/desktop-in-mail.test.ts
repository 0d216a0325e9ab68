import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DesktopCard, OutgoingDelivery, OutgoingFile } from '../../core/delivery/door.ts';
import { append } from '../../core/streams/append.ts';
import type { Event } from '../../core/streams/message.ts';
import { sendMail } from '../../e2e/clients/send-mail.ts';
import { type MailSink, startMailSink } from '../../e2e/stand-ins/mail-sink.ts';
import type { SunkMail } from '../../e2e/stand-ins/sunk-mail.ts';
import { MailDoor } from './mail-door.ts';
import { type MailHouse, openMailHouse, organisation } from './testing/mail-house.ts';

let sink: MailSink;
let house: MailHouse;
let door: MailDoor;

beforeEach(async () => {
  sink = await startMailSink({ strict: true });
  door = new MailDoor({ MAIL_DOMAIN: 'localhost', SMTP_URL: sink.url });
  house = await openMailHouse({ doors: [door] });
  door.connect(house.core);
});

afterEach(async () => {
  await house.close();
  await sink.close();
});

const watchUrl = 'https://switchboard.example.com/d/d-1#watch.token-_1';
const controlUrl = 'https://switchboard.example.com/d/d-1#control.token-_1';

async function card(changes: Partial<DesktopCard> = {}): Promise<DesktopCard> {
  const data = await sharp({ create: { width: 640, height: 360, channels: 3, background: '#345' } })
    .jpeg()
    .toBuffer();
  return {
    title: 'Assistant’s desktop',
    watchUrl,
    controlUrl,
    still: { data, width: 640, height: 360 },
    offersControl: true,
    ...changes,
  };
}

/** Sam has written (and others, in the same Thread), and this is what is answered: the test alone sends it. */
async function answer(
  text: string,
  rest: Partial<OutgoingDelivery>,
  others: readonly string[] = [],
): Promise<SunkMail> {
  const first = { to: 'assistant@localhost', subject: 'The report', text: 'desktop' };
  await sendMail({ port: house.port, from: 'sam@example.com', messageId: '<1@example.com>', ...first });
  const [asked] = await house.events();
  if (!asked) throw new Error('no mail came');
  const { event } = await append(house.core, {
    organisation,
    stream: asked.stream,
    thread: asked.thread,
    author: 'w-assistant',
    sourceKind: 'ai',
    message: { body: text, ...(others.length > 0 ? { to: ['sam@example.com', ...others] } : {}) },
  });
  const [row] = await house.core.database.query<Pick<OutgoingDelivery, 'id' | 'createdAt' | 'binding'>>(
    `select d.id, d.created_at as "createdAt",
       jsonb_build_object('id', b.id, 'kind', b.kind, 'externalId', b.external_id, 'config', b.config) as binding
     from delivery d join binding b on b.organisation = d.organisation and b.id = d.binding where d.event = $1`,
    [event],
  );
  if (!row) throw new Error('there is no delivery');
  const stored = (await house.events()).find(({ id }) => id === event) as Event;
  await door.deliver({
    organisation,
    thread: asked.thread,
    ...row,
    threadPlace: null,
    event: stored,
    text,
    externalId: null,
    repeated: false,
    caption: { speaker: null, help: false },
    ...rest,
  });
  return await sink.waitFor((mail) => mail.subject.includes('report'), 5000);
}

const hrefs = (mail: SunkMail) => [...String(mail.parsed.html).matchAll(/href="([^"]+)"/g)].map(([, href]) => href);

describe('a desktop in a mail', () => {
  it('has links in the text part, the one to control first, and no problem in its form', async () => {
    const mail = await answer('This is what I see.', { card: await card() });
    expect(mail.problems).toEqual([]);
    expect(mail.text).toBe(
      `This is what I see.\n\nAssistant’s desktop\nOpen and control: ${controlUrl}\nWatch: ${watchUrl}\nThe link to control is for you alone, and is to be opened within 15 minutes.`,
    );
    expect(/https?:\/\/\S+/.exec(mail.text)?.[0]).toBe(controlUrl);
  });

  it('has an HTML part with the picture inside the mail, and a button for each link', async () => {
    const given = await card();
    const mail = await answer('This is <what> I see: https://example.com/a?b=1&c=2.', { card: given });
    const html = String(mail.parsed.html);
    expect(html).toContain('This is &#60;what&#62; I see');
    expect(hrefs(mail)).toEqual(['https://example.com/a?b=1&#38;c=2', controlUrl, controlUrl, watchUrl]);
    const [still, ...more] = mail.parsed.attachments;
    expect(more).toEqual([]);
    expect(still).toMatchObject({ contentType: 'image/jpeg', contentDisposition: 'inline', related: true });
    expect(still?.content).toEqual(given.still?.data);
    // mailparser has put the picture where `cid:` named it
    expect(html).toContain(`<img src="data:image/jpeg;base64,${given.still?.data.toString('base64').slice(0, 40)}`);
    // nothing is fetched when the mail is opened
    expect(html).not.toMatch(/(src|background)="?https?:/);
  });

  it('without a link to control says how to get one; without a still it is words and buttons', async () => {
    const { controlUrl: _, ...watching } = await card({ still: null });
    const mail = await answer('Look.', { card: watching });
    expect(mail.text).toBe(
      `Look.\n\nAssistant’s desktop\nWatch: ${watchUrl}\nTo take over, answer this mail with the word: control`,
    );
    expect(mail.parsed.attachments).toEqual([]);
    expect(String(mail.parsed.html)).toContain('Assistant’s desktop');
    expect(hrefs(mail)).toEqual([watchUrl]);
  });

  it('to several people has no link to control', async () => {
    const mail = await answer('Look.', { card: await card() }, ['lee@example.com']);
    expect(mail.to).toEqual(['sam@example.com', 'lee@example.com']);
    expect(mail.raw.toString()).not.toContain('control.token');
    expect(mail.text).toContain('answer this mail with the word: control');
  });
});

describe('files', () => {
  const clip: OutgoingFile = { name: 'clip "1".mp4', type: 'video/mp4', data: Buffer.alloc(3_000_000, 9) };

  it('are attached whole, beside a desktop too; a mail without a desktop stays text', async () => {
    const mail = await answer('The last 30 seconds.', { files: [clip] });
    expect(mail.problems).toEqual([]);
    expect(mail.parsed.html).toBe(false);
    expect(mail.parsed.attachments.map(({ filename, contentType }) => [filename, contentType])).toEqual([
      ['clip "1".mp4', 'video/mp4'],
    ]);
    expect(mail.parsed.attachments[0]?.content.equals(clip.data)).toBe(true);
    expect(mail.text).toBe('The last 30 seconds.');
  });

  it('beyond 10 MB are not, and the mail says so and where they are', async () => {
    const url = 'https://switchboard.example/f/f-1#eyJh.b.c';
    const large = { ...clip, name: 'long.mp4', data: Buffer.alloc(8 * 1024 * 1024), url };
    const mail = await answer('Two clips.', { files: [clip, large], card: await card() });
    expect(mail.parsed.attachments.map(({ filename }) => filename).toSorted()).toEqual(['clip "1".mp4', 'desktop.jpg']);
    expect(mail.text).toContain(`long.mp4: too large for a mail (8.0 MB): for a day at most it is at\n${url}`);
    expect(String(mail.parsed.html)).toContain('long.mp4: too large for a mail (8.0 MB)');
    expect(String(mail.parsed.html)).toContain(`href="${url}"`);
  });
});
