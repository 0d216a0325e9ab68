import { isIP } from 'node:net';
import { z } from 'zod';

/** Any text. */
export const text = z.string();

/** A whole number written in digits, within both limits. */
export function wholeNumber(limits: { min: number; max: number }) {
  const rule = `it must be a whole number from ${limits.min} to ${limits.max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, rule)
    .transform(Number)
    .refine((value) => value >= limits.min && value <= limits.max, rule);
}

/** A TCP port; 0 lets the system choose a free one. */
export const portNumber = wholeNumber({ min: 0, max: 65_535 });

/** An IP address or a host name, without a port; brackets around an IPv6 address are taken off. */
export const hostName = z
  .string()
  .transform((value) => value.replace(/^\[(.*)\]$/, '$1'))
  .refine(
    (value) => isIP(value) !== 0 || /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/i.test(value),
    'it must be an IP address or a host name, without a port',
  );

const httpRule = 'it must be a URL that begins with http:// or https://';

/** An http or https URL, kept as it was written. */
export const httpUrl = z.string().refine((value) => isHttp(value), httpRule);

/** An http or https URL that paths are put behind: no query, no fragment, and the slashes at its end are taken off. */
export const baseUrl = z
  .string()
  .refine((value) => isHttp(value) && !/[?#]/.test(value), `${httpRule} and has no ? or #`)
  .transform((value) => value.replace(/\/+$/, ''));

function isHttp(value: string): boolean {
  return /^https?:\/\/[^/]/i.test(value) && URL.canParse(value);
}

/** Yes or no: `1`, `true`, `yes`, `on` or `0`, `false`, `no`, `off`, in any case. */
export const flag = z
  .string()
  .toLowerCase()
  .refine(
    (value) => /^(1|true|yes|on|0|false|no|off)$/.test(value),
    'it must be true or false (also: yes, no, on, off, 1, 0)',
  )
  .transform((value) => /^(1|true|yes|on)$/.test(value));

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** A length of time, in **seconds**: `90`, `90s`, `500ms`, `10m`, `2h`, `30d`; a number alone means seconds. */
export const seconds = z
  .string()
  .regex(
    /^\d{1,12}(\.\d+)?\s*(ms|s|m|h|d)?$/,
    'it must be a length of time such as 90 (seconds), 500ms, 10m, 2h or 30d',
  )
  .transform((value) => Number.parseFloat(value) * SECONDS[unitOf(value, SECONDS, 's')]);

const BYTES = { B: 1, kB: 1000, KB: 1000, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** A size, in **bytes**: `65536`, `64KiB`, `25MB`, `1GiB`; a number alone means bytes. */
export const bytes = z
  .string()
  .regex(
    /^\d{1,12}(\.\d+)?\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?$/,
    'it must be a size such as 65536 (bytes), 64KiB, 25MB or 1GiB',
  )
  .transform((value) => Math.round(Number.parseFloat(value) * BYTES[unitOf(value, BYTES, 'B')]));

function unitOf<Unit extends string>(value: string, units: Record<Unit, number>, otherwise: Unit): Unit {
  const written = value.replace(/[\d.\s]/g, '');
  return written in units ? (written as Unit) : otherwise;
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(...words: Words) {
  return z.enum(words, { error: `it must be one of ${words.join(', ')}` });
}

/** Items between commas, each checked by `item`; blanks around them and empty ones are dropped. */
export function commaList<Item extends z.ZodType<unknown, string>>(item: Item) {
  return z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item))
    .readonly();
}

/** An IP address, or a range of them in CIDR form (`10.0.0.0/8`, `fd00::/8`). */
export const addressRange = z.string().refine((value) => {
  const [address = '', prefix, ...rest] = value.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (bits < 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}, 'it must be IP addresses or ranges such as 10.0.0.0/8, with commas between them');
