import { Agent, request } from 'node:http';
import { signatureHeaders } from '../e2e/stand-ins/slack/sign.ts';

/** Sends signed events over connections that are kept, as cheaply as Node can: the sender shares the machine with what it measures. */
export function createSender(options: { url: string; signingSecret: string; connections: number }) {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const target = new URL(options.url);
  return {
    /** The status it was answered with. */
    send(envelope: object): Promise<number> {
      const body = JSON.stringify(envelope);
      return new Promise((resolve, reject) => {
        const sent = request(
          {
            agent,
            host: target.hostname,
            port: target.port,
            path: target.pathname,
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(body),
              ...signatureHeaders(options.signingSecret, body),
            },
          },
          (response) => {
            response.resume();
            response.once('end', () => resolve(response.statusCode ?? 0));
          },
        );
        sent.once('error', reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

/** Runs `work` for 0 … count − 1, so many at once, and gives how many a second that was. */
export async function rateOf(count: number, atOnce: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) await work(next++);
    }),
  );
  return count / ((performance.now() - begun) / 1000);
}
