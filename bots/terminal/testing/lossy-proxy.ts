import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy before a core that loses answers: the core has done what it was asked, and the client is never told. */
export interface LossyProxy extends AsyncDisposable {
  port: number;
  /** How many answers it has lost. */
  lost(): number;
}

/** @param losing says of each request whether its answer is lost, or broken off after its first bytes */
export async function startLossyProxy(
  corePort: number,
  losing: (method: string, path: string) => boolean,
): Promise<LossyProxy> {
  let lost = 0;
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const loses = losing(method, url);
    if (loses) lost++;
    const upstream = request({ host: '127.0.0.1', port: corePort, method, path: url, headers }, (answer) => {
      if (!loses) {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      } else if (method === 'GET') {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.once('data', (data) => outgoing.write(data, () => outgoing.destroy()));
      } else answer.resume().once('end', () => outgoing.destroy());
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    lost: () => lost,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
