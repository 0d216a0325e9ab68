import { createConnection, createServer } from 'node:net';
import { pipeline } from 'node:stream';

/** Programs find the proxy here: a port of the sandbox's own loopback. */
export const proxyPort = 3128;

/** Lets programs that know only TCP reach the filtering proxy's UNIX socket, the one way out of a sandbox without a network. */
export async function forwardProxy(socketPath: string): Promise<void> {
  const server = createServer((program) => {
    const proxy = createConnection(socketPath);
    // either end may break off whenever it likes: `pipeline` closes the other one
    pipeline(program, proxy, () => {});
    pipeline(proxy, program, () => {});
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(proxyPort, '127.0.0.1', resolve);
  });
}

/** What programs read to find the proxy, in both spellings that are in use. */
export function proxyEnvironment(): Record<string, string> {
  const address = `http://127.0.0.1:${proxyPort}`;
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
