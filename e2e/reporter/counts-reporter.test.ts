import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const run = promisify(execFile);
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const reporter = JSON.stringify(new URL('counts-reporter.ts', import.meta.url).pathname);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-counts-'));
  await writeFile(
    join(folder, 'vitest.config.mjs'),
    `import { CountsReporter } from ${reporter};
     export default { test: { globals: true, include: ['*.spec.mjs'], reporters: [new CountsReporter()] } };`,
  );
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function countsOf(files: Record<string, string>): Promise<unknown> {
  for (const [name, source] of Object.entries(files)) await writeFile(join(folder, `${name}.spec.mjs`), source);
  const counts = join(folder, 'counts.json');
  const env = { ...process.env, SWITCHBOARD_TEST_COUNTS: counts, VITEST: undefined };
  await run(process.execPath, [vitest, 'run', '--root', folder], { env }).catch(() => {});
  return JSON.parse(await readFile(counts, 'utf8'));
}

test('tests that pass, fail, are skipped or still to be written are counted, in suites too', async () => {
  const source = `
    test('a', () => {});
    describe('suite', () => { test('b', () => {}); test('c', () => expect(1).toBe(2)); });
    test.skip('d', () => {});
    test.todo('e');`;
  expect(await countsOf({ mixed: source })).toEqual({ passed: 2, failed: 1, skipped: 2 });
});

test('a file that cannot be loaded, a failed hook and an error outside of every test are failures', async () => {
  expect(
    await countsOf({
      broken: `import './missing.mjs'; test('never', () => {});`,
      hook: `describe('suite', () => { beforeAll(() => { throw new Error('no'); }); test('never', () => {}); });`,
      stray: `test('fine', async () => { setTimeout(() => { throw new Error('stray'); }, 1); await new Promise((r) => setTimeout(r, 50)); });`,
    }),
  ).toEqual({ passed: 1, failed: 3, skipped: 1 });
});
