import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../store/database.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { toolNames } from '../tools/tool-names.ts';
import { grantedTools } from './grants.ts';
import { assistantGrants, seed } from './seed.ts';

let testing: TestDatabase;
let database: Database;
beforeAll(async () => {
  testing = await testDatabase();
  database = await openDatabase(testing.url);
});
afterAll(async () => {
  await database.close();
  await testing.close();
});

test('an empty database becomes one organisation, however many cores start at once', async () => {
  const seeded = await Promise.all([seed(database), seed(database), seed(database)]);
  expect(seeded.filter(Boolean)).toHaveLength(1);
  expect(await database.query('select id from organisation')).toEqual([{ id: 'default' }]);
  expect(
    await database.query(`select w.id, w.name, w.kind, w.position, p.role, p.reports_to from worker w
      join "position" p on p.organisation = w.organisation and p.id = w.position order by w.id`),
  ).toEqual([
    {
      id: 'w-assistant',
      name: 'Assistant',
      kind: 'ai',
      position: 'p-assistant',
      role: 'r-assistant',
      reports_to: 'p-owner',
    },
    { id: 'w-owner', name: 'Owner', kind: 'human', position: 'p-owner', role: 'r-owner', reports_to: null },
  ]);
  expect(await database.query('select id, kind, default_worker from stream order by id')).toEqual([
    { id: 's-activation-w-assistant', kind: 'activation', default_worker: null },
    { id: 's-general', kind: 'channel', default_worker: 'w-assistant' },
    { id: 's-mail', kind: 'mail', default_worker: 'w-assistant' },
  ]);
  expect(await database.query('select stream, kind, external_id from binding')).toEqual([
    { stream: 's-mail', kind: 'mail', external_id: 'assistant' },
  ]);
  expect(await database.query('select worker, stream, mode from subscription order by worker, stream')).toEqual([
    { worker: 'w-assistant', stream: 's-general', mode: 'mentions' },
    { worker: 'w-assistant', stream: 's-mail', mode: 'mentions' },
    { worker: 'w-owner', stream: 's-activation-w-assistant', mode: 'all' },
    { worker: 'w-owner', stream: 's-general', mode: 'all' },
  ]);
  expect(await grantedTools(database, 'default', 'w-assistant')).toEqual([...assistantGrants].sort());
  expect(await grantedTools(database, 'default', 'w-owner')).toEqual([...toolNames]);
});

test('a start changes nothing that people have changed, but gives the owner the tools that are new', async () => {
  await seed(database);
  await database.query(`update role set content = 'edited' where id = 'r-assistant'`);
  await database.query(`delete from "grant" where tool in ('dm', 'publish')`);
  expect(await seed(database)).toBe(false);
  expect(await database.query(`select content from role where id = 'r-assistant'`)).toEqual([{ content: 'edited' }]);
  expect(await grantedTools(database, 'default', 'w-owner')).toEqual([...toolNames]);
  expect(await grantedTools(database, 'default', 'w-assistant')).not.toContain('dm');
});
