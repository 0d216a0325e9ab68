import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { listenOnLoopback } from '../stand-ins/loopback-http.ts';

/** A running balancer; `url` stands for all its targets. */
export type RoundRobin = {
  url: string;
  port: number;
  /** How many requests each target has answered, in the order of the targets. */
  answered(): number[];
  /** How many requests were passed on because a target could not be connected to, and how many broke off and became a 502. */
  passedOn(): number;
  broken(): number;
  close(): Promise<void>;
};

/**
 * A plain HTTP load balancer on loopback: each request to the next target (`http://127.0.0.1:8080`), nothing sticky, no health
 * checks. Where a target takes no connection the one after it gets the request; one that broke off after it was sent is a 502,
 * since nobody knows what became of it.
 */
export async function startRoundRobin(targets: () => readonly string[], port = 0): Promise<RoundRobin> {
  const agent = new Agent({ keepAlive: false });
  const answered: number[] = [];
  let turn = 0;
  let passedOn = 0;
  let broken = 0;

  const forward = async (incoming: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
    const all = targets();
    const first = turn++;
    const attempt = (tries: number) => {
      const index = (first + tries) % all.length;
      const target = new URL(all[index] ?? '');
      const outgoing = request({
        agent,
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...incoming.headers, connection: 'close' },
      });
      outgoing.on('response', (answer) => {
        answered[index] = (answered[index] ?? 0) + 1;
        const { connection: _, 'keep-alive': __, ...headers } = answer.headers;
        response.writeHead(answer.statusCode ?? 502, headers);
        pipeline(answer, response, () => {});
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (response.headersSent) return void response.destroy();
        if (error.code === 'ECONNREFUSED' && tries + 1 < all.length) {
          passedOn += 1;
          return attempt(tries + 1);
        }
        broken += 1;
        response.writeHead(502, { 'content-type': 'text/plain' }).end('No target answers.\n');
      });
      outgoing.end(Buffer.concat(parts));
    };
    attempt(0);
  };

  const server = await listenOnLoopback((incoming, response) => {
    forward(incoming, response).catch(() => response.destroy());
  }, port);
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port,
    answered: () => targets().map((_, index) => answered[index] ?? 0),
    passedOn: () => passedOn,
    broken: () => broken,
    close: server.close,
  };
}
