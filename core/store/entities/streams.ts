import { defineEntity, p } from '@mikro-orm/postgresql';
import { WorkerEntity } from './organisation.ts';

/** One file of a Message: where it lies, never its bytes. `size` in bytes. */
export interface Attachment {
  name: string;
  type: string;
  size: number;
  url: string;
}

/**
 * A named channel of Events. `position` is the last one allotted, raised under this row's lock. `kind` decides who may
 * read: `mail` and `dm` only a Thread's participants, `channel` and `activation` the subscribers.
 */
export const StreamEntity = defineEntity({
  name: 'Stream',
  tableName: 'stream',
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    name: p.text(),
    description: p.text().default(''),
    kind: p
      .enum(['channel', 'mail', 'dm', 'activation'] as const)
      .columnType('text')
      .default('channel'),
    defaultWorker: () =>
      p.manyToOne(WorkerEntity).joinColumns('organisation', 'default_worker').deleteRule('restrict').nullable().ref(),
    position: p.integer().default(0),
    createdBy: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A Stream's place outside: (kind, external id) is a mail alias, a Slack channel and so on. */
export const BindingEntity = defineEntity({
  name: 'Binding',
  tableName: 'binding',
  uniques: [{ properties: ['organisation', 'kind', 'externalId'] }],
  indexes: [{ properties: ['organisation', 'stream'] }],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    stream: () => p.manyToOne(StreamEntity).joinColumns('organisation', 'stream').deleteRule('cascade').ref(),
    kind: p.text(),
    externalId: p.text(),
    config: p.json<Record<string, unknown>>().defaultRaw(`'{}'`),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** (worker, stream, mode): `all`, or `mentions`: only when addressed or in a Thread it takes part in. */
export const SubscriptionEntity = defineEntity({
  name: 'Subscription',
  tableName: 'subscription',
  indexes: [{ properties: ['organisation', 'stream'] }],
  properties: {
    organisation: p.text().primary(),
    worker: () => p.manyToOne(WorkerEntity).joinColumns('organisation', 'worker').deleteRule('cascade').primary().ref(),
    stream: () => p.manyToOne(StreamEntity).joinColumns('organisation', 'stream').deleteRule('cascade').primary().ref(),
    mode: p
      .enum(['all', 'mentions'] as const)
      .columnType('text')
      .default('all'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** One conversation on a Stream. While `mutedAt` is set nobody is woken in it. */
export const ThreadEntity = defineEntity({
  name: 'Thread',
  tableName: 'thread',
  indexes: [{ properties: ['organisation', 'stream'] }],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    stream: () => p.manyToOne(StreamEntity).joinColumns('organisation', 'stream').deleteRule('cascade').ref(),
    subject: p.text().default(''),
    mutedAt: p.datetime().nullable(),
    closedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A Thread's own place outside: a Slack channel and ts, a Teams conversation id, the first Message-ID of a mail thread. */
export const ThreadBindingEntity = defineEntity({
  name: 'ThreadBinding',
  tableName: 'thread_binding',
  indexes: [{ properties: ['organisation', 'thread'] }],
  properties: {
    organisation: p.text().primary(),
    binding: p.text().primary(),
    externalId: p.text().primary(),
    thread: () => p.manyToOne(ThreadEntity).joinColumns('organisation', 'thread').deleteRule('cascade').ref(),
  },
});

/** Who takes part in a Thread: has written in it, was addressed in it, or was invited. */
export const ParticipantEntity = defineEntity({
  name: 'Participant',
  tableName: 'participant',
  indexes: [{ properties: ['organisation', 'worker'] }],
  properties: {
    organisation: p.text().primary(),
    thread: p.text().primary(),
    worker: p.text().primary(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/**
 * One Message appended to a Stream, with its `position` there. Only append() writes it, and only a platform's report of an
 * edit or a delete changes it. No foreign keys: append() resolved every reference in the same statement's sight, and each
 * key would cost a lookup and a row lock in the one transaction that must be short.
 */
export const EventEntity = defineEntity({
  name: 'Event',
  tableName: 'event',
  uniques: [{ properties: ['organisation', 'stream', 'position'] }],
  indexes: [{ properties: ['organisation', 'thread', 'position'] }, { properties: ['search'], type: 'gin' }],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    stream: p.text(),
    position: p.integer(),
    thread: p.text(),
    author: p.text().nullable(),
    sourceKind: p.enum(['human', 'ai', 'system', 'notice'] as const).columnType('text'),
    hops: p.integer().default(0),
    /** The Event at the head of the chain of answers: the hop limit is told once for each. */
    origin: p.text(),
    from: p.text().default(''),
    to: p.json<string[]>().defaultRaw(`'[]'`),
    subject: p.text().default(''),
    body: p.text().default(''),
    attachments: p.json<Attachment[]>().defaultRaw(`'[]'`),
    inReplyTo: p.text().nullable(),
    messageId: p.text().nullable(),
    extra: p.json<Record<string, unknown>>().defaultRaw(`'{}'`),
    /** The Binding it came by; null when it was said inside. */
    cameBy: p.text().nullable(),
    /** The Activation whose reply or tool call it is. */
    activation: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    editedAt: p.datetime().nullable(),
    deletedAt: p.datetime().nullable(),
    search: p
      .string()
      .columnType('tsvector')
      .nullable()
      .generated(`(to_tsvector('simple'::regconfig, ((subject || ' '::text) || "left"(body, 100000)))) stored`)
      .lazy()
      .hidden(),
  },
});

/** What a platform calls an Event: several keys may lead to one, outgoing ids are entered too. */
export const ReceiptEntity = defineEntity({
  name: 'Receipt',
  tableName: 'receipt',
  indexes: [{ properties: ['organisation', 'event'] }],
  properties: {
    organisation: p.text().primary(),
    binding: p.text().primary(),
    externalId: p.text().primary(),
    event: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
