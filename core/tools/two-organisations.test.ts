import { afterAll, beforeAll, expect, test } from 'vitest';
import { type McpHouse, openMcpHouse } from '../mcp/testing/mcp-house.ts';
import { findOrMakeGuest } from '../organisation/identities.ts';
import { seedOrganisation } from '../organisation/seed.ts';
import type { OrganisationId } from '../store/ids.ts';
import { append } from '../streams/append.ts';
import { allTools } from './index.ts';
import type { ToolName } from './tool-names.ts';

const organisations = ['default', 'other'] as const;
let house: McpHouse;

beforeAll(async () => {
  house = await openMcpHouse();
  await house.core.database.transaction((tx) => seedOrganisation(tx, 'other', { mailAlias: 'assistant' }));
  for (const organisation of organisations) await furnish(organisation);
});
afterAll(() => house[Symbol.asyncDispose]());

/** A Desktop's id is never the same in two organisations: Hosts know it by its id alone. So these are tried with another's (below). */
const desktopTools = [
  'desktop_screenshot',
  'desktop_click',
  'desktop_type',
  'desktop_key',
  'desktop_scroll',
  'desktop_open_url',
  'desktop_run',
  'desktop_read_file',
  'desktop_write_file',
  'share_desktop',
  'ask_for_help',
  'control_desktop',
] as const;
type DesktopTool = (typeof desktopTools)[number];

const marker = (organisation: OrganisationId) => `marker-of-${organisation}`;

/** The same ids in each organisation, and in every text the marker of its own. */
async function furnish(organisation: OrganisationId): Promise<void> {
  const { core } = house;
  const { database } = core;
  const mark = marker(organisation);
  for (const statement of [
    `update role set title = $2 || title, content = $2 where organisation = $1`,
    `update "position" set title = $2 || title where organisation = $1`,
    `update worker set name = name || ' ' || $2, identity = $2 where organisation = $1`,
    `update stream set name = $2, description = $2 where organisation = $1`,
    `update binding set external_id = $2 where organisation = $1`,
    `insert into identity (organisation, platform, external_id, worker) values ($1, 'slack', 'U1' || $2, 'w-owner')`,
    `insert into subscription (organisation, worker, stream) select $1, 'w-owner', 's-mail' where $2 <> ''`,
    `insert into activation (organisation, id, worker, stream, thread, origin, state, error, ended_at)
       values ($1, 'a-dead', 'w-assistant', 's-general', 't-same', 'e-same', 'dead', $2, now())`,
    `insert into step (organisation, activation, number, stream, position, kind, content)
       values ($1, 'a-dead', 1, 's-activation-w-assistant', 1, 'text', jsonb_build_object('text', $2::text))`,
    `update stream set position = 1 where organisation = $1 and id = 's-activation-w-assistant' and $2 <> ''`,
    `insert into thread (organisation, id, stream, subject) values ($1, 't-same', 's-general', $2)`,
  ])
    await database.query(statement, [organisation, mark]);
  await findOrMakeGuest(database, organisation, {
    platform: 'mail',
    externalId: `g@${mark}.example`,
    name: `G ${mark}`,
  });
  const said = { organisation, author: 'w-owner', sourceKind: 'human', silent: true } as const;
  await append(core, { ...said, stream: 's-general', thread: 't-same', message: { body: mark, subject: mark } });
  await append(core, { ...said, stream: 's-mail', message: { body: mark, to: [`g@${mark}.example`] } });
  const call = await house.call('dm', { worker: 'w-assistant', body: mark }, { organisation });
  expect(call.isError, call.text).toBe(false);
}

/** Arguments with which each tool does something to, or shows something of, what both organisations have under one id. */
const calls: Record<Exclude<ToolName, DesktopTool>, Record<string, unknown>[]> = {
  list_roles: [{}],
  get_role: [{ id: 'r-assistant' }],
  update_role: [{ role: 'r-assistant', title: 'Changed' }],
  create_role: [{ role: 'r-new', title: 'New one', content: 'x' }],
  list_positions: [{}],
  get_position: [{ id: 'p-assistant' }],
  create_position: [{ title: 'Seat', role: 'r-new', reportsTo: 'p-owner' }],
  list_workers: [{}],
  get_worker: [{ id: 'w-owner' }, { id: 'w-assistant' }],
  hire_worker: [
    {
      name: 'Sam',
      kind: 'ai',
      position: 'p-seat',
      identity: 'x',
      grants: ['publish', 'dm'],
      subscriptions: ['s-general'],
    },
  ],
  update_identity: [{ worker: 'w-sam', content: 'changed' }],
  grant: [{ worker: 'w-sam', tools: ['read_events'] }],
  list_grants: [{}, { worker: 'w-assistant' }],
  get_grant: [{ id: 'w-assistant' }, { id: 'w-assistant/dm' }],
  revoke: [{ worker: 'w-assistant', tools: ['dm'] }],
  list_streams: [{}],
  get_stream: [{ id: 's-general' }, { id: 's-mail' }],
  create_stream: [{ name: 'Sales', transport: { kind: 'mail', config: { alias: 'sales' } } }],
  subscribe: [{ stream: 's-sales', mode: 'mentions' }],
  unsubscribe: [{ stream: 's-sales' }],
  invite_workers: [{ stream: 's-sales', workers: ['w-sam'] }],
  stream_members: [{ stream: 's-general' }],
  publish: [
    { stream: 's-general', body: 'hello' },
    { stream: 's-general', thread: 't-same', body: 'hello' },
  ],
  dm: [{ worker: 'w-assistant', body: 'hello' }],
  read_events: [
    {},
    { stream: 's-general' },
    { thread: 't-same' },
    { stream: 's-mail', since: 'beginning' },
    { stream: 's-activation-w-assistant' },
  ],
  worker_log: [{ worker: 'w-assistant' }],
  list_dead: [{}],
  retry_dead: [{ id: 'a-dead' }],
  dismiss_worker: [{ worker: 'w-sam' }],
};

const tables = [
  'activation',
  'binding',
  'delivery',
  'desktop',
  'dial',
  'event',
  'file',
  '"grant"',
  'identity',
  'installation',
  'lane',
  'organisation',
  'pairing_code',
  'participant',
  '"position"',
  'rate_budget',
  'receipt',
  'role',
  'setting',
  'step',
  'stream',
  'subscription',
  'thread',
  'thread_binding',
  'trigger',
  'viewer_link',
  'worker',
];

/** What belongs to the deployment and holds nothing of any organisation. */
const sharedTables = ['host', 'signing_key'];

/** Everything that the database holds of an organisation. */
async function rowsOf(organisation: OrganisationId): Promise<Record<string, unknown>> {
  const rows: Record<string, unknown> = {};
  for (const table of tables)
    rows[table] = await house.core.database.query(
      `select * from ${table} t where ${table === 'organisation' ? 'id' : 'organisation'} = $1 order by t::text`,
      [organisation],
    );
  return rows;
}

test('the list of tables is whole', async () => {
  const found = await house.core.database.query<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public' and table_name <> 'migration'`,
  );
  expect(found.map(({ name }) => name.replaceAll('"', '')).sort()).toEqual(
    [...tables, ...sharedTables].map((name) => name.replaceAll('"', '')).sort(),
  );
});

test('through no tool does one organisation see or change a row of another that has the same ids', async () => {
  expect([...Object.keys(calls), ...desktopTools].sort()).toEqual(allTools.map((tool) => tool.name).sort());
  for (const organisation of organisations) {
    const other = organisation === 'default' ? 'other' : 'default';
    const before = await rowsOf(other);
    const own: string[] = [];
    for (const [tool, inputs] of Object.entries(calls))
      for (const input of inputs) {
        const { isError, text } = await house.call(tool, input, { organisation });
        expect(isError, `${tool} ${JSON.stringify(input)}: ${text}`).toBe(false);
        expect(text, `${tool} ${JSON.stringify(input)}`).not.toContain(marker(other));
        if (text.includes(marker(organisation))) own.push(tool);
      }
    // What lists and gets show is their own organisation's, so a marker that leaked would have been seen.
    expect([...new Set(own)].sort()).toEqual([
      'get_position',
      'get_role',
      'get_stream',
      'get_worker',
      'list_dead',
      'list_positions',
      'list_roles',
      'list_streams',
      'list_workers',
      'read_events',
      'stream_members',
      'worker_log',
    ]);
    expect(await rowsOf(other)).toEqual(before);
  }
});

test('what only the other organisation has is unknown', async () => {
  const as = { organisation: 'other' };
  await house.call('create_role', { role: 'r-only', title: 'Only', content: 'here' });
  await house.call('create_stream', { name: 'Only' });
  const { value } = await house.call('publish', { stream: 's-only', body: 'here' });
  await house.core.database.query(
    `insert into desktop (organisation, id, worker, thread, home, desired, state, width, height)
     values ('default', 'd-only', 'w-assistant', 't-same', 'd-only', 'running', 'running', 1280, 720)`,
  );
  const on = { desktop: 'd-only' };
  for (const [tool, input] of [
    ['desktop_screenshot', on],
    ['desktop_click', { x: 1, y: 1, ...on }],
    ['desktop_type', { text: 'x', ...on }],
    ['desktop_key', { keys: ['Return'], ...on }],
    ['desktop_scroll', { x: 1, y: 1, ...on }],
    ['desktop_open_url', { url: 'https://example.com/', ...on }],
    ['desktop_run', { command: 'true', ...on }],
    ['desktop_read_file', { path: 'x', ...on }],
    ['desktop_write_file', { path: 'x', content: '', ...on }],
    ['share_desktop', on],
    ['control_desktop', on],
    ['get_role', { id: 'r-only' }],
    ['update_role', { role: 'r-only', title: 'x' }],
    ['create_position', { title: 'x', role: 'r-only' }],
    ['get_stream', { id: 's-only' }],
    ['subscribe', { stream: 's-only' }],
    ['publish', { stream: 's-only', body: 'x' }],
    ['read_events', { thread: value.thread }],
    ['publish', { stream: 's-general', thread: value.thread, body: 'x' }],
  ] as const)
    expect(await house.call(tool, input, as), tool).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^unknown /),
    });
});
