/** What a host does that is no root: starts a sandbox, runs the commands that it is told, prints what they answered, and stops it. */
import { createProcessDriver } from '../process/process-driver.ts';
import { run, startTestSandbox } from './test-sandbox.ts';

const { limits, commands } = JSON.parse(process.argv[2] ?? '{}');
const driver = createProcessDriver({ owner: `test-${process.pid}` });
const answers: unknown[] = [await driver.probe()];
await using started = await startTestSandbox(driver, { limits });
for (const command of commands) answers.push(await run(started.sandbox, command, 30_000));
process.stdout.write(JSON.stringify(answers));
