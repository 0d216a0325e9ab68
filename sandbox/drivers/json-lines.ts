import type { Readable } from 'node:stream';

/**
 * Reads JSON values, one a line. `broken` is called once, with a sentence, when a line is longer than `longest` bytes or is no JSON;
 * nothing is read after that. (node:readline keeps a line of any length, which would let a sandbox fill the host's memory.)
 */
export function jsonLines(
  stream: Readable,
  longest: number,
  broken: (why: string) => void,
  each: (value: unknown) => void,
): void {
  let parts: Buffer[] = [];
  let held = 0;

  function stop(why: string): void {
    stream.off('data', take);
    // what still comes is thrown away, so that the writer ends instead of waiting
    stream.resume();
    parts = [];
    broken(why);
  }

  function take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, end)]);
      parts = [];
      held = 0;
      from = end + 1;
      let value: unknown;
      try {
        value = JSON.parse(line.toString('utf8'));
      } catch {
        stop('its supervisor said something that is no JSON');
        return;
      }
      each(value);
    }
    const rest = chunk.subarray(from);
    held += rest.length;
    if (held > longest) stop(`its supervisor said more than ${longest} bytes in one line`);
    else if (rest.length > 0) parts.push(rest);
  }

  stream.on('data', take);
}
