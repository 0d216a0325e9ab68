import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** An HTTP server on 127.0.0.1 that can go away and come back on its port, as a crashed and restarted one does. */
export type LoopbackHttp = {
  port: number;
  /** Stops listening and drops every connection: clients get ECONNREFUSED until {@link LoopbackHttp.resume}. */
  pause(): Promise<void>;
  /** Listens again on the same port. */
  resume(): Promise<void>;
  /** Ends for good, dropping every connection. */
  close(): Promise<void>;
};

/** Listens on 127.0.0.1; port 0 takes a free one. Connections have no time limit, so that streams may last. */
export async function listenOnLoopback(listener: RequestListener, port = 0): Promise<LoopbackHttp> {
  let server = await listen(listener, port);
  const taken = (server.address() as AddressInfo).port;
  const pause = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    port: taken,
    pause,
    resume: async () => {
      if (!server.listening) server = await retryWhileInUse(() => listen(listener, taken));
    },
    close: pause,
  };
}

/** Tries again for 5 s while a port that was free a moment ago is busy: somebody's outgoing connection may hold it. */
export async function retryWhileInUse<T>(listen: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await listen();
    } catch (error) {
      if (attempt >= 50 || !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
      await sleep(100);
    }
  }
}

async function listen(listener: RequestListener, port: number): Promise<Server> {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 30_000 }, listener);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
