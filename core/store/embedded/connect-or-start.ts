import { othersAreConnected } from './data-directory-lock.ts';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  locked,
  makeHandle,
  openServer,
  prepare,
  stopServer,
} from './open-server.ts';

/**
 * Opens the embedded server for a command of the CLI. Beside a running core it only connects. Else it starts the server or adopts an orphan, holds
 * the lock while it works, and leaves things as it found them: `stop()` stops what it started, unless another has come to use it.
 *
 * @throws ConfigurationError: another command kept the data directory for 10 s, or what is wrong with it
 */
export async function connectOrStart(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const place = await prepare(options);
  const { server, client, outcome } = await openServer(place, 'cli');
  // the command before us left the server running for us
  const stopsIt = outcome !== 'beside-core' && (server.started || outcome === 'taken-after-cli');
  const stop = async () => {
    await locked(place, async () => {
      const leave = !stopsIt || (await othersAreConnected(client).catch(() => true));
      await client.end().catch(() => {});
      if (!leave) await stopServer(place.cluster);
    });
  };
  return makeHandle(() => server, server.started, stop, place.log);
}
