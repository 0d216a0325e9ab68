import { BadMessageError } from './wire.ts';

const lengthBytes = 4;

/**
 * Cuts a stream into messages: each is collected in one buffer of its length, however many pieces it comes in.
 *
 * @param atMost how long the next message may be, in bytes
 * @param message told of each, without its length; the buffer is the receiver's
 * @returns takes the next piece; throws BadMessageError for a length that no message has, and what `message` throws
 */
export function createMessageReader(atMost: () => number, message: (bytes: Buffer) => void): (piece: Buffer) => void {
  let length = Buffer.alloc(lengthBytes);
  let target = length;
  let filled = 0;

  function next(): void {
    if (target === length) {
      const bytes = length.readUInt32BE(0);
      if (bytes < 1 || bytes > atMost()) throw new BadMessageError(`its length is ${bytes}`);
      target = Buffer.allocUnsafeSlow(bytes);
    } else {
      const whole = target;
      length = Buffer.alloc(lengthBytes);
      target = length;
      message(whole);
    }
    filled = 0;
  }

  return (piece) => {
    let rest = piece;
    while (rest.length > 0) {
      const copied = rest.copy(target, filled);
      filled += copied;
      rest = rest.subarray(copied);
      if (filled === target.length) next();
    }
  };
}
