import { defineEntity, p } from '@mikro-orm/postgresql';

/** Whether something works on a Host, and if not, why and what would help. */
export interface HostReport {
  name: string;
  works: boolean;
  detail: string;
}

/** A process that runs Desktops, of whatever Organisation: Hosts belong to the deployment. */
export const HostEntity = defineEntity({
  name: 'Host',
  tableName: 'host',
  properties: {
    id: p.text().primary(),
    /** How many Desktops it can run at once. */
    capacity: p.integer(),
    drivers: p.json<HostReport[]>(),
    encoders: p.json<HostReport[]>(),
    /** The connection that speaks for it: a later one has taken its place. */
    link: p.text(),
    lastSeenAt: p.datetime().defaultRaw('now()'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A person who has the input of a Desktop. */
export interface DesktopController {
  subject: string | null;
  name: string;
}

/** What a person did while controlling, in words, for the agent that was not told yet. */
export interface PersonDid {
  name: string;
  steps: string[];
}

/**
 * The graphical sandbox of a Worker in a Thread (`thread` null: one for all its Threads). The row stays when the Desktop stops, and
 * with it the id and the home folder. `desired` is what the core wants, `state` what the Host says of this `generation`.
 */
export const DesktopEntity = defineEntity({
  name: 'Desktop',
  tableName: 'desktop',
  indexes: [
    {
      name: 'desktop_owner_unique',
      expression: (columns, table, indexName) =>
        `create unique index "${indexName}" on ${table} (${columns.organisation}, ${columns.worker}, coalesce(${columns.thread}, ''))`,
    },
    {
      name: 'desktop_host_index',
      expression: (columns, table, indexName) =>
        `create index "${indexName}" on ${table} (${columns.host}) where ${columns.desired} = 'running'`,
    },
  ],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    worker: p.text(),
    thread: p.text().nullable(),
    /** The name of its home folder on the Hosts. */
    home: p.text(),
    desired: p.enum(['running', 'stopped'] as const).columnType('text'),
    state: p.enum(['starting', 'running', 'stopped', 'failed'] as const).columnType('text'),
    /** Why it failed or stopped: a sentence for people. */
    detail: p.text().default(''),
    /** Grows whenever it is placed: what a Host says of an older one no longer counts. */
    generation: p.integer().default(0),
    host: p.text().nullable(),
    width: p.integer(),
    height: p.integer(),
    driver: p.text().nullable(),
    viewers: p.integer().default(0),
    /** Null: no person has the input. */
    controller: p.json<DesktopController>().nullable(),
    personDid: p.json<PersonDid[]>().defaultRaw(`'[]'`),
    /** Where its agent asked for help and waits: it is woken there when a person gives control back. */
    helpThread: p.text().nullable(),
    /** The Activation that asked: what it still does before it ends does not take back its asking. */
    helpActivation: p.text().nullable(),
    startedAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().defaultRaw('now()'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A link that was handed out. The token itself is stored nowhere; it names this row by its `jti`. */
export const ViewerLinkEntity = defineEntity({
  name: 'ViewerLink',
  tableName: 'viewer_link',
  indexes: [{ properties: ['organisation', 'desktop'] }, { properties: ['expiresAt'] }],
  properties: {
    organisation: p.text().primary(),
    jti: p.text().primary(),
    /** Null: the wall. */
    desktop: p.text().nullable(),
    mode: p.enum(['watch', 'control', 'wall'] as const).columnType('text'),
    /** The Worker whose own it is; null: whoever reads the Thread in which it was posted. */
    subject: p.text().nullable(),
    /** The end of whatever was opened by it in time. */
    expiresAt: p.datetime(),
    revokedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A key that signs viewer links (ES256), the same for every core process. The private half is encrypted under SECRET_KEY. */
export const SigningKeyEntity = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  properties: {
    kid: p.text().primary(),
    publicKey: p.json<Record<string, unknown>>(),
    privateKey: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
    /** Nothing that it has signed counts any more. */
    retiresAt: p.datetime(),
  },
});

/**
 * A connection that a Host is to make to the core process that waits for it at `url`, taken by the process that holds the Host's link.
 * Unlogged: it is worth ten seconds. The ticket is made of the id and SECRET_KEY, so that it is stored nowhere.
 */
export const DialEntity = defineEntity({
  name: 'Dial',
  tableName: 'dial',
  properties: {
    id: p.text().primary(),
    organisation: p.text(),
    desktop: p.text(),
    host: p.text(),
    kind: p.enum(['viewer', 'channel'] as const).columnType('text'),
    url: p.text(),
    person: p.json<Record<string, unknown>>().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A file that the core itself has made for a Thread, such as a clip. An Event's attachment names it: `file:<id>`. */
export const FileEntity = defineEntity({
  name: 'File',
  tableName: 'file',
  indexes: [{ properties: ['expiresAt'] }],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    thread: p.text(),
    name: p.text(),
    type: p.text(),
    /** Stored `external`, so that a piece can be read by itself (core/desktops/read-pieces.ts). */
    data: p.blob(),
    expiresAt: p.datetime(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
