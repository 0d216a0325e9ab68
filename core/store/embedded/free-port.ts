import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A port of 127.0.0.1 that nobody listens on: `preferred` if it is free, else one from 21000 to 31999. That lies below the range
 * from which systems draw the ports of outgoing connections, one of which could hold it at the next start.
 */
export async function findFreePort(preferred?: number): Promise<number> {
  if (preferred && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(21_000, 32_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port on 127.0.0.1 between 21000 and 31999');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
