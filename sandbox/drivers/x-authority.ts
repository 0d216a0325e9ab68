/**
 * An Xauthority file with one cookie for every display: family "wild" (0xffff), no address, no number (libXau, Xauth.h). `cookie`:
 * MIT-MAGIC-COOKIE-1, 32 hex digits.
 */
export function xAuthority(cookie: string): Buffer {
  const counted = (bytes: Buffer) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
  const empty = Buffer.alloc(0);
  return Buffer.concat([
    Buffer.from([0xff, 0xff]),
    counted(empty),
    counted(empty),
    counted(Buffer.from('MIT-MAGIC-COOKIE-1')),
    counted(Buffer.from(cookie, 'hex')),
  ]);
}
