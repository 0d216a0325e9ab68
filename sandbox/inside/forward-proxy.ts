import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { pipeline } from 'node:stream';

/** Programs find the proxy here: a port of the sandbox's own loopback. Where sandboxes share a network, the others get any free one. */
const usualPort = 3128;

/**
 * Lets programs that know only TCP reach the filtering proxy's UNIX socket, the one way out of a sandbox without a network.
 *
 * @returns the port that it listens at
 */
export async function forwardProxy(socketPath: string): Promise<number> {
  const server = createServer((program) => {
    const proxy = createConnection(socketPath);
    // either end may break off whenever it likes: `pipeline` closes the other one
    pipeline(program, proxy, () => {});
    pipeline(proxy, program, () => {});
  });
  const listen = (port: number) => once(server.listen(port, '127.0.0.1'), 'listening');
  await listen(usualPort).catch((error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return listen(0);
  });
  return (server.address() as AddressInfo).port;
}

/** What programs read to find the proxy, in both spellings that are in use. */
export function proxyEnvironment(port: number): Record<string, string> {
  const address = `http://127.0.0.1:${port}`;
  const direct = 'localhost,127.0.0.1,::1';
  return {
    http_proxy: address,
    https_proxy: address,
    HTTP_PROXY: address,
    HTTPS_PROXY: address,
    no_proxy: direct,
    NO_PROXY: direct,
  };
}
