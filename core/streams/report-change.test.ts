import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Core } from '../core.ts';
import { coreForTests, furnish } from '../dispatch/testing/core-for-tests.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { append } from './append.ts';
import { reportDelete, reportEdit } from './report-change.ts';

const organisation = 'acme';
let database: TestDatabase;
let core: Core;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await testDatabase();
  ({ core, close } = await coreForTests({ url: database.url }));
  await furnish(core, organisation, [{ id: 'w-ada', kind: 'human' }]);
});

afterAll(async () => {
  await close();
  await database.close();
});

const known = (externalId: string) => ({ organisation, binding: 'b-mail' as const, externalId });

async function said(externalId: string, body: string): Promise<string> {
  const { event } = await append(core, {
    organisation,
    stream: 's-mail',
    author: 'w-ada',
    sourceKind: 'human',
    cameBy: 'b-mail',
    receipts: [externalId],
    message: { body, subject: 'a secret subject' },
  });
  return event;
}

async function found(word: string): Promise<number> {
  const rows = await core.database.query(`select 1 from event where search @@ plainto_tsquery('simple', $1)`, [word]);
  return rows.length;
}

describe('what a platform reports of a message', () => {
  it('replaces an edited body, in search too', async () => {
    await said('1', 'the zebra sleeps');
    expect(await reportEdit(core, known('1'), 'the giraffe sleeps')).toBe(true);
    expect([await found('zebra'), await found('giraffe')]).toEqual([0, 1]);
  });

  it('blanks what was deleted, and a late edit does not bring it back', async () => {
    const event = await said('2', 'the heron flies');
    expect(await reportDelete(core, known('2'))).toBe(true);
    expect(await reportEdit(core, known('2'), 'the heron flies again')).toBe(true);
    const [row] = await core.database.query('select body, subject from event where id = $1', [event]);
    expect(row).toEqual({ body: '', subject: '' });
    expect(await found('heron')).toBe(0);
  });

  it('says when it knows no such message', async () => {
    expect(await reportDelete(core, known('nothing'))).toBe(false);
    expect(await reportEdit(core, { ...known('1'), organisation: 'other' }, 'x')).toBe(false);
  });
});
