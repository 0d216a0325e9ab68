/** A host process for a test to kill: starts one sandbox in the folders and for the owner that it is told, and says when it runs. */
import { createProcessDriver } from '../process/process-driver.ts';

const [owner = '', request = ''] = process.argv.slice(2);
await createProcessDriver({ owner }).start(JSON.parse(request));
process.stdout.write('running\n');
