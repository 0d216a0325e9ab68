/**
 * What a host does that is no root: starts a sandbox for each list of commands that it is told, all with the same home, runs them there,
 * and stops it. Prints what they answered.
 */
import { createProcessDriver } from '../process/process-driver.ts';
import { makeFolders, run } from './test-sandbox.ts';

const { limits, starts } = JSON.parse(process.argv[2] ?? '{}');
const driver = createProcessDriver({ owner: `test-${process.pid}` });
const answers: unknown[] = [await driver.probe()];
await using folders = await makeFolders();
for (const commands of starts) {
  const sandbox = await driver.start({ ...folders.request({ limits }), runtime: await folders.another() });
  for (const command of commands) answers.push(await run(sandbox, command, 30_000));
  await sandbox.stop();
}
process.stdout.write(JSON.stringify(answers));
