import { defineEntity, p } from '@mikro-orm/postgresql';

/**
 * Where work queues and runs one at a time: (worker, thread) for Activations, (binding, thread) for Deliveries; `owner` is the
 * Worker or the Binding. `readyAt` is when somebody may claim it, null when there is nothing to do; while it is held it equals
 * `leaseUntil`, so that an expired lease is claimable by itself. `fence` grows at each claim. Times are the database's.
 */
export const LaneEntity = defineEntity({
  name: 'Lane',
  tableName: 'lane',
  indexes: [
    {
      name: 'lane_ready_index',
      expression: (columns, table, indexName) =>
        `create index "${indexName}" on ${table} (${columns.kind}, ${columns.organisation}, ${columns.owner}, ${columns.readyAt}) where ${columns.readyAt} is not null`,
    },
  ],
  properties: {
    organisation: p.text().primary(),
    kind: p
      .enum(['activation', 'delivery'] as const)
      .columnType('text')
      .primary(),
    owner: p.text().primary(),
    thread: p.text().primary(),
    readyAt: p.datetime().nullable(),
    leaseUntil: p.datetime().nullable(),
    fence: p.integer().default(0),
    holder: p.text().nullable(),
  },
});

/** An Event waiting for one AI Worker. */
export const TriggerEntity = defineEntity({
  name: 'Trigger',
  tableName: 'trigger',
  indexes: [
    {
      name: 'trigger_waiting_index',
      expression: (columns, table, indexName) =>
        `create index "${indexName}" on ${table} (${columns.organisation}, ${columns.worker}, ${columns.thread}, ${columns.position}) where ${columns.state} = 'waiting'`,
    },
    { properties: ['organisation', 'activation'] },
  ],
  properties: {
    organisation: p.text().primary(),
    event: p.text().primary(),
    worker: p.text().primary(),
    thread: p.text(),
    position: p.integer(),
    state: p
      .enum(['waiting', 'taken', 'done', 'cancelled', 'dead'] as const)
      .columnType('text')
      .default('waiting'),
    activation: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/**
 * One run of an AI Worker for a batch of Triggers of one Lane. `text` is the reply as far as it is written. `failures` counts
 * failed attempts (three make it dead), `lostLeases` takeovers, `waitingSince` when a wait for something outside began.
 */
export const ActivationEntity = defineEntity({
  name: 'Activation',
  tableName: 'activation',
  indexes: [
    { properties: ['organisation', 'worker', 'createdAt'] },
    {
      name: 'activation_open_index',
      expression: (columns, table, indexName) =>
        `create index "${indexName}" on ${table} (${columns.organisation}, ${columns.worker}, ${columns.thread}) where ${columns.state} in ('running', 'waiting')`,
    },
  ],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    worker: p.text(),
    stream: p.text(),
    thread: p.text(),
    state: p
      .enum(['running', 'waiting', 'done', 'dead', 'cancelled'] as const)
      .columnType('text')
      .default('running'),
    runtime: p.text().default(''),
    hops: p.integer().default(0),
    origin: p.text(),
    failures: p.integer().default(0),
    lostLeases: p.integer().default(0),
    waitingSince: p.datetime().nullable(),
    error: p.text().nullable(),
    text: p.text().default(''),
    cancelRequestedAt: p.datetime().nullable(),
    usage: p.json<{ inputTokens: number; outputTokens: number }>().nullable(),
    reply: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    endedAt: p.datetime().nullable(),
  },
});

/**
 * What happened in an Activation, in order: the one record, of which the transcript on the activation Stream is a view.
 * `position` is the place in that Stream.
 */
export const StepEntity = defineEntity({
  name: 'Step',
  tableName: 'step',
  uniques: [{ properties: ['organisation', 'stream', 'position'] }],
  properties: {
    organisation: p.text().primary(),
    activation: p.text().primary(),
    number: p.integer().primary(),
    stream: p.text(),
    position: p.integer(),
    kind: p.enum(['start', 'text', 'tool_call', 'tool_result', 'end'] as const).columnType('text'),
    content: p.json<Record<string, unknown>>(),
    usage: p.json<{ inputTokens: number; outputTokens: number }>().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/**
 * SQL: whether a Delivery is still to be done; only what says it so is looked up in the index of the open ones. An index whose condition
 * followed from `state = 'queued'` alone would be taken for statements that name an Event or an Activation, too: as long as the statistics
 * know of no open Delivery it looks empty, and when a place is away and thousands wait for it, each such statement reads them all.
 */
export function openDelivery(state: string): string {
  return `(${state} in ('draft', 'queued', 'sending', 'waiting')) is true`;
}

/**
 * One Event on its way out to one Binding, with its outcome. A `draft` has no Event yet: it shows the `text` of its Activation
 * and holds the platform's message id, so that the finished reply edits the same message.
 */
export const DeliveryEntity = defineEntity({
  name: 'Delivery',
  tableName: 'delivery',
  indexes: [
    { properties: ['organisation', 'event'] },
    { properties: ['organisation', 'activation'] },
    {
      name: 'delivery_open_index',
      expression: (columns, table, indexName) =>
        `create index "${indexName}" on ${table} (${columns.organisation}, ${columns.binding}, ${columns.thread}, ${columns.position}) where ${openDelivery(columns.state)}`,
    },
  ],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    binding: p.text(),
    thread: p.text(),
    event: p.text().nullable(),
    activation: p.text().nullable(),
    position: p.integer(),
    state: p
      .enum(['draft', 'queued', 'sending', 'waiting', 'delivered', 'dead', 'cancelled'] as const)
      .columnType('text')
      .default('queued'),
    externalId: p.text().nullable(),
    failures: p.integer().default(0),
    lostLeases: p.integer().default(0),
    waitingSince: p.datetime().nullable(),
    error: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    deliveredAt: p.datetime().nullable(),
  },
});
