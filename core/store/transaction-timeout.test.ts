import { expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { testDatabase } from './testing/test-database.ts';

test('the server ends a session that goes silent in a transaction, so that a stopped process does not hold its locks', async () => {
  await using place = await testDatabase();
  const database = await openDatabase(place.url);
  const show = `select current_setting('idle_in_transaction_session_timeout') as limit`;
  try {
    expect(await database.transaction((tx) => tx.query(show))).toEqual([{ limit: '5s' }]);
    expect(await database.query(show)).toEqual([{ limit: '0' }]);
  } finally {
    await database.close();
  }
});
