import { z } from 'zod';
import { type AppendInput, append } from '../streams/append.ts';
import { resolveRecipients } from './resolve-recipients.ts';
import { settleDeliveries } from './settle-deliveries.ts';
import { refuseOwnThread, speaker } from './speaker.ts';
import { count, exactly, idOf, listOf, maybe, text } from './tolerant.ts';
import { defineTool } from './tool.ts';

const attachment = exactly({
  name: text(200),
  type: text(200).describe('its media type, such as "application/pdf"'),
  size: count({ min: 0, max: 999_999_999 }).describe('in bytes'),
  url: z.url({ protocol: /^https?$/ }).describe('where it lies'),
});

/** One line, as a mail header needs it. */
const subject = z
  .string()
  .max(500)
  .transform((value) => value.replace(/[\p{Cc}\s]+/gu, ' ').trim());

/** Appends an Event, and says what became of its Deliveries. */
export const publish = defineTool({
  name: 'publish',
  description:
    'Say something in a stream, elsewhere than in the thread you are answering: your final answer goes there by itself. Without a thread it begins a new one. To begin a new mail, say the addresses in "to" and a subject. The result says what became of each delivery: a message was sent only if it says "delivered".',
  input: exactly({
    stream: idOf('s', 'stream'),
    body: text(200_000).describe('markdown'),
    thread: maybe(idOf('t', 'thread')).describe('the conversation to go on with; a new one if left out'),
    subject: maybe(subject),
    to: maybe(listOf(text(320), { max: 20 })).describe(
      'a new mail: addresses; elsewhere: workers (ids or names) who are to answer',
    ),
    inReplyTo: maybe(text(1000)).describe('the messageId of the message that this answers'),
    attachments: maybe(listOf(attachment, { max: 20 })),
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, input) {
    const { core, organisation, signal } = context;
    const { stream, thread, body, subject, inReplyTo, attachments } = input;
    refuseOwnThread(context, thread);
    const said = await speaker(context);
    const recipients = await resolveRecipients(context, { stream, thread, to: input.to ?? [] });
    const message: AppendInput['message'] = {
      body,
      to: recipients.to,
      ...(subject !== undefined ? { subject } : {}),
      ...(inReplyTo !== undefined ? { inReplyTo } : {}),
      ...(attachments ? { attachments } : {}),
    };
    const appended = await append(core, {
      organisation,
      stream,
      ...said,
      message,
      ...(thread ? { thread } : {}),
      ...(recipients.threadPlace ? { threadPlace: recipients.threadPlace } : {}),
      addressed: recipients.addressed,
      addressedByName: recipients.addressed.length > 0,
    });
    const deliveries = appended.deliveries.map((delivery) => delivery.id);
    return {
      event: appended.event,
      stream,
      thread: appended.thread,
      woken: appended.woken,
      deliveries: await settleDeliveries(core, organisation, deliveries, signal),
    };
  },
});
