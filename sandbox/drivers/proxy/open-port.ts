import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** A port of this host's loopback that leads to a proxy. */
export interface ProxyPort {
  port: number;
  /** Breaks off what is connected, too. */
  close(): Promise<void>;
}

/**
 * Lets programs that share this host's network reach a proxy's UNIX socket by a port that nobody else has. Whoever may connect to the
 * loopback of this host may use it.
 */
export async function openPort(socketPath: string): Promise<ProxyPort> {
  const open = new Set<Socket>();
  const server = createServer((program) => {
    const proxy = createConnection(socketPath);
    for (const socket of [program, proxy]) {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    }
    // either end may break off whenever it likes: `pipeline` closes the other one
    pipeline(program, proxy, () => {});
    pipeline(proxy, program, () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
