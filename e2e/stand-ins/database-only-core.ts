import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedServer } from '../../core/store/embedded/embedded-server.ts';

/**
 * A program: a core reduced to its embedded database and /readyz, with what processes.test.ts needs to see. Settings: PORT,
 * DATA_DIR; FAIL ends it at once with that as its last word; DRAIN_MS is how long it takes to stop.
 */
const { PORT, DATA_DIR = '', FAIL, DRAIN_MS = '0' } = process.env;
if (FAIL) {
  console.error(FAIL);
  process.exit(1);
}
const quiet = { info() {}, warn() {}, error: console.error };
const database = await startEmbeddedServer({ dataDirectory: DATA_DIR, log: quiet, durable: false });
const server = createServer((request, response) => response.writeHead(request.url === '/readyz' ? 200 : 404).end());
server.listen(Number(PORT), '127.0.0.1');
console.log(`sees ${Object.keys(process.env).sort().join(' ')}`);
process.once('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await sleep(Number(DRAIN_MS));
  await database.stop();
});
