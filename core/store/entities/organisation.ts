import { defineEntity, p } from '@mikro-orm/postgresql';

/** The tenant. Every other row's key begins with its id. */
export const OrganisationEntity = defineEntity({
  name: 'Organisation',
  tableName: 'organisation',
  properties: {
    id: p.text().primary(),
    name: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A Slack workspace, an Entra tenant or a mail domain; (kind, external id) leads to exactly one Organisation. */
export const InstallationEntity = defineEntity({
  name: 'Installation',
  tableName: 'installation',
  uniques: [{ properties: ['kind', 'externalId'] }],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    kind: p.text(),
    externalId: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A job description in markdown. Read afresh at each Activation, so an edit counts from the next one. */
export const RoleEntity = defineEntity({
  name: 'Role',
  tableName: 'role',
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    title: p.text(),
    content: p.text(),
    /** Whether each holder has one Desktop for each Thread, or one for all, which its managers alone may watch. */
    desktop: p
      .enum(['thread', 'worker'] as const)
      .columnType('text')
      .default('thread'),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});

/** A seat that holds a Role and reports to another Position. */
export const PositionEntity = defineEntity({
  name: 'Position',
  tableName: 'position',
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    title: p.text(),
    role: () => p.manyToOne(RoleEntity).joinColumns('organisation', 'role').deleteRule('restrict').ref(),
    reportsTo: () =>
      p.manyToOne(PositionEntity).joinColumns('organisation', 'reports_to').deleteRule('restrict').nullable().ref(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/**
 * Who sits in Positions. A human without a Position is a guest. `concurrency` is how many Lanes may run at once;
 * raising `tokenVersion` makes every bearer token of the Worker void.
 */
export const WorkerEntity = defineEntity({
  name: 'Worker',
  tableName: 'worker',
  indexes: [
    {
      name: 'worker_called_index',
      expression: (columns, table, indexName) =>
        `create index "${indexName}" on ${table} (${columns.organisation}, lower(${columns.name})) where ${columns.kind} = 'ai' and ${columns.dismissedAt} is null`,
    },
  ],
  properties: {
    organisation: p.text().primary(),
    id: p.text().primary(),
    name: p.text(),
    kind: p
      .enum(['human', 'ai'] as const)
      .$type<'human' | 'ai'>()
      .columnType('text'),
    position: () =>
      p.manyToOne(PositionEntity).joinColumns('organisation', 'position').deleteRule('restrict').nullable().ref(),
    identity: p.text().default(''),
    concurrency: p.integer().default(4),
    tokenVersion: p.integer().default(1),
    hiredBy: p.text().nullable(),
    dismissedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});

/** A Worker's id on a platform. `mail` is an authenticated address, `mail-unverified` one that anybody could have written. */
export const IdentityEntity = defineEntity({
  name: 'Identity',
  tableName: 'identity',
  indexes: [{ properties: ['organisation', 'worker'] }],
  properties: {
    organisation: p.text().primary(),
    platform: p.text().primary(),
    externalId: p.text().primary(),
    worker: () => p.manyToOne(WorkerEntity).joinColumns('organisation', 'worker').deleteRule('cascade').ref(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** (worker, tool): a Worker sees and may call exactly the tools granted. */
export const GrantEntity = defineEntity({
  name: 'Grant',
  tableName: 'grant',
  properties: {
    organisation: p.text().primary(),
    worker: () => p.manyToOne(WorkerEntity).joinColumns('organisation', 'worker').deleteRule('cascade').primary().ref(),
    tool: p.text().primary(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A stored setting, encrypted (core/config/stored-settings.ts). */
export const SettingEntity = defineEntity({
  name: 'Setting',
  tableName: 'setting',
  properties: {
    organisation: p.text().primary(),
    key: p.text().primary(),
    value: p.text(),
    updatedAt: p
      .datetime()
      .defaultRaw('now()')
      .onUpdate(() => new Date()),
  },
});

/** A one-time pairing code, kept as its SHA-256 in hex. Consumed before anything that carried it is appended. */
export const PairingCodeEntity = defineEntity({
  name: 'PairingCode',
  tableName: 'pairing_code',
  properties: {
    organisation: p.text().primary(),
    hash: p.text().primary(),
    worker: p.text(),
    expiresAt: p.datetime(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
