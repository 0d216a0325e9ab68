import { Socket } from 'node:net';

/**
 * A socket that sends what is written in one turn of the event loop by one system call. The driver writes each query in four pieces,
 * of which the first goes out by itself and wakes the server for nothing.
 */
export class OneWriteSocket extends Socket {
  #held = false;

  override write(...args: [chunk: Uint8Array | string, ...rest: unknown[]]): boolean {
    if (!this.#held) {
      this.#held = true;
      this.cork();
      process.nextTick(() => {
        this.#held = false;
        this.uncork();
      });
    }
    return super.write(...(args as Parameters<Socket['write']>));
  }
}
