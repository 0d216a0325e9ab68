import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError } from '../../errors.ts';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  locked,
  makeHandle,
  openServer,
  prepare,
  stopServer,
} from './open-server.ts';
import { keepServerLogBounded } from './server-log.ts';

export { connectOrStart } from './connect-or-start.ts';
export type { EmbeddedServer, EmbeddedServerOptions } from './open-server.ts';

/**
 * Starts or adopts the embedded server for a core, and holds the lock on the data directory. Should the server die it is started
 * again on the same port, so that pools reconnect. `stop()` stops it, adopted or not.
 *
 * @throws ConfigurationError: the data directory is in use by another core, or what is wrong with it
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const place = await prepare(options);
  let { server, client } = await openServer(place, 'core');
  const { started } = server;
  const stopping = new AbortController();
  let recovery = Promise.resolve();

  const superviseConnection = () =>
    client.once('end', () => {
      if (!stopping.signal.aborted) recovery = recover();
    });

  const recover = async () => {
    place.log.warn({ pid: server.pid }, 'the embedded PostgreSQL dropped the connection that holds the data directory');
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      try {
        const next = await openServer({ ...place, port: server.port }, 'core');
        if (next.server.port !== server.port) {
          await next.client.end();
          throw new ConfigurationError(`the embedded PostgreSQL moved to port ${next.server.port}`, 'embedded_moved');
        }
        ({ server, client } = next);
        superviseConnection();
        place.log.info({ pid: server.pid, restarted: server.started }, 'the embedded PostgreSQL is back');
        return;
      } catch (error) {
        place.log.error({ err: error }, 'the embedded PostgreSQL is not back yet');
        if (error instanceof ConfigurationError && /^(data_directory_in_use|embedded_moved)$/.test(error.code)) {
          options.onLost?.(error);
          return;
        }
        await sleep(Math.min(100 * 2 ** attempt, 10_000), undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };

  superviseConnection();
  const endLogBound = keepServerLogBounded(place.dataDirectory);
  const stop = async () => {
    stopping.abort();
    endLogBound();
    await recovery;
    await locked(place, async () => {
      // without the lock the server may be another core's by now: it is left alone, and the next start adopts it
      const ours = await client.query('select').then(
        () => true,
        () => false,
      );
      await client.end().catch(() => {});
      if (ours) await stopServer(place.cluster);
    });
  };
  return makeHandle(() => server, started, stop, place.log);
}
