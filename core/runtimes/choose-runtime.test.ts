import { expect, test } from 'vitest';
import { alwaysAnswer } from '../../e2e/stand-ins/model-scripts.ts';
import { startModelServer } from '../../e2e/stand-ins/model-server.ts';
import { ConfigurationError } from '../errors.ts';
import { openDatabase } from '../store/database.ts';
import { testDatabase } from '../store/testing/test-database.ts';
import { chooseRuntime } from './choose-runtime.ts';
import { recordedRun } from './testing/recorded-run.ts';

const settings = {
  MODEL: undefined,
  MODEL_STEP_LIMIT: 5,
  MODEL_DEADLINE: 10,
  ANTHROPIC_API_KEY: undefined,
  ANTHROPIC_BASE_URL: undefined,
  OPENAI_API_KEY: undefined,
  OPENAI_BASE_URL: undefined,
};

test('without MODEL it looks up, with one it thinks, and a wrong one is refused before anybody is answered', async () => {
  await using testing = await testDatabase();
  const database = await openDatabase(testing.url);
  const server = await startModelServer({ script: alwaysAnswer('I think.') });
  try {
    const without = await chooseRuntime(settings, database);
    expect([without.runtime.name, without.warnings]).toEqual(['retrieval', []]);
    const withModel = await chooseRuntime(
      { ...settings, MODEL: 'openai-compatible/scripted', OPENAI_BASE_URL: server.url },
      database,
    );
    expect([withModel.runtime.name, withModel.warnings]).toEqual(['llm', []]);
    expect(await withModel.runtime.run(recordedRun())).toEqual({ text: 'I think.' });
    for (const MODEL of ['scripted', 'openai-compatible/other'])
      await expect(chooseRuntime({ ...settings, MODEL, OPENAI_BASE_URL: server.url }, database)).rejects.toThrow(
        ConfigurationError,
      );
  } finally {
    await server.close();
    await database.close();
  }
});
