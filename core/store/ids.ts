import { randomBytes } from 'node:crypto';

/** An Organisation's id: lower-case letters, digits and dashes, `default` for the first. It has no prefix. */
export type OrganisationId = string;
export type RoleId = `r-${string}`;
export type PositionId = `p-${string}`;
export type WorkerId = `w-${string}`;
export type StreamId = `s-${string}`;
export type ThreadId = `t-${string}`;
export type EventId = `e-${string}`;
export type ActivationId = `a-${string}`;
export type DeliveryId = `d-${string}`;
export type BindingId = `b-${string}`;
export type DesktopId = `d-${string}`;
export type HostId = `h-${string}`;
export type FileId = `f-${string}`;

type Prefix = 'r' | 'p' | 'w' | 's' | 't' | 'e' | 'a' | 'd' | 'b' | 'f';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A new id: the prefix, nine characters of the time in milliseconds and ten random ones (50 bits), in Crockford's base 32.
 * Ids made later sort later, to the millisecond and by this process's clock only: never use them as an order of commits
 * (that is an Event's `position`).
 */
export function newId<P extends Prefix>(prefix: P): `${P}-${string}` {
  let time = Date.now();
  let text = '';
  for (let i = 0; i < 9; i++) {
    text = alphabet[time % 32] + text;
    time = Math.floor(time / 32);
  }
  for (const byte of randomBytes(10)) text += alphabet[byte % 32];
  return `${prefix}-${text}`;
}

/**
 * A readable id from a name: `Ada Lovelace` becomes `w-ada-lovelace`. Letters outside a–z lose their accents; a name without
 * any such letter or digit gets a made-up id. The caller appends a number when the id is taken.
 */
export function idFromName<P extends Prefix>(prefix: P, name: string): `${P}-${string}` {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);
  return slug ? `${prefix}-${slug}` : newId(prefix);
}
