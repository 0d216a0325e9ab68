import { join } from 'node:path';
import { z } from 'zod';
import { parseSocketAddress } from './remote-frames/socket-address.ts';

/**
 * The keys of a sandbox host. They have the shape that core/config knows (type, default, secret, description), so that main.ts can show
 * them beside the others; the host reads them by itself, from the environment and `.env` (sandbox/host/read-host-settings.ts).
 */

/** What a host reads besides its own: they belong to the core, and mean the same here. */
export const sharedSettings = {
  DATA_DIR: { type: z.string(), default: './data' },
  LOG_LEVEL: {
    type: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'it must be one of trace, debug, info, warn, error, fatal, silent',
    }),
    default: 'info',
  },
  PUBLIC_URL: { type: z.string(), default: undefined },
} as const;

const coreUrls = z
  .string()
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim().replace(/\/+$/, ''))
      .filter((part) => part !== ''),
  )
  .refine(
    (urls) => urls.length > 0 && urls.every(isBaseUrl),
    'it must be URLs such as https://switchboard.example.com, with commas between them',
  );

const flag = z
  .string()
  .toLowerCase()
  .refine((value) => /^(1|true|yes|on|0|false|no|off)$/.test(value), 'it must be true or false')
  .transform((value) => /^(1|true|yes|on)$/.test(value));

const socketAddress = z
  .string()
  .refine(
    (value) => parseSocketAddress(value) !== null,
    'it must be an address such as tcp://127.0.0.1:9440 or unix:///run/switchboard/encoder',
  );

/** Where the embedded host and `npm run host` find what they need. */
export const hostSettings = {
  EMBEDDED_HOST: {
    type: flag,
    default: true,
    environmentOnly: true,
    description:
      'Whether npm start runs a sandbox host beside the core. With false, Desktops run on the machines where you start npm run host.',
  },
  CORE_URL: {
    type: coreUrls,
    default: ['http://127.0.0.1:8080'],
    environmentOnly: true,
    description:
      'For npm run host: the core that it dials. Several with commas between them are tried one after the other.',
  },
  HOST_TOKEN: {
    type: z.string().min(16, 'it must have at least 16 characters'),
    secret: true,
    environmentOnly: true,
    description:
      'What sandbox hosts show to the core; the same for both. Without it the core takes only the host that it starts itself.',
  },
  HOST_NAME: {
    type: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9-]{0,62}$/,
        'it must be small letters, digits and hyphens, at most 63, and begin with a letter or digit',
      ),
    environmentOnly: true,
    description: 'The name of a sandbox host, one of its own for each. Without it one is made and kept in HOST_DIR.',
  },
  HOST_DIR: {
    type: z.string(),
    default: {
      derivedFrom: ['DATA_DIR'],
      value: (values: Readonly<Record<string, unknown>>): string => join(String(values.DATA_DIR), 'host'),
    },
    environmentOnly: true,
    description: 'The folder of a sandbox host: `host` in DATA_DIR. Homes, recordings and sockets of its Desktops.',
  },
  HOMES_DIR: {
    type: z.string(),
    environmentOnly: true,
    description:
      'The home folders of Desktops: `homes` in HOST_DIR unless set. On storage that several hosts share, a Desktop that moves finds its own.',
  },
  DESKTOP_CAPACITY: {
    type: wholeNumber(0, 1000),
    environmentOnly: true,
    description:
      'How many Desktops a host runs at once. Without it by its cores and memory: four a core, 1.5 GiB each.',
  },
  DESKTOP_FPS: {
    type: wholeNumber(1, 60),
    default: 60,
    environmentOnly: true,
    description: 'The most pictures a second that a Desktop is shown with.',
  },
  DESKTOP_SOUND: {
    type: flag,
    default: false,
    environmentOnly: true,
    description:
      'Gives Desktops a sound server, so that who watches may listen, too. Needs pulseaudio and pulseaudio-utils, and node-av.',
  },
  REMOTE_ENCODER: {
    type: socketAddress,
    environmentOnly: true,
    description:
      'The address of `npx switchboard host encode`, which encodes pictures where this machine has no video encoder, as a Linux guest under macOS: tcp://host:port or unix:///path. Its line is not encrypted.',
  },
  REMOTE_ENCODER_TOKEN: {
    type: z.string().min(16, 'it must have at least 16 characters'),
    secret: true,
    environmentOnly: true,
    description: 'What a host shows to `npx switchboard host encode`; the same for both.',
  },
  ENCODER_LISTEN: {
    type: socketAddress,
    default: 'tcp://127.0.0.1:9440',
    environmentOnly: true,
    description: 'Where `npx switchboard host encode` listens: tcp://host:port or unix:///path.',
  },
  SANDBOX_UNISOLATED: {
    type: flag,
    default: false,
    environmentOnly: true,
    description:
      'Runs Desktops without isolation where a host has none: what runs in one can do whatever the host process may.',
  },
  RECORDINGS_DAYS: {
    type: wholeNumber(0, 3650),
    default: 7,
    environmentOnly: true,
    description: 'How long a host keeps the recordings of Activations, in days.',
  },
  RECORDINGS_GIB: {
    type: wholeNumber(0, 100_000),
    default: 10,
    environmentOnly: true,
    description: 'How much room the recordings of a host may take, in GiB; the oldest go first.',
  },
} as const;

type Declared = { readonly type: z.ZodType; readonly default?: unknown };
type ValuesOf<S extends Readonly<Record<string, Declared>>> = {
  readonly [K in keyof S]:
    | z.output<S[K]['type']>
    | (S[K] extends { readonly default: NonNullable<unknown> } ? never : undefined);
};

/** What the keys hold once read. */
export type HostSettings = ValuesOf<typeof hostSettings> & ValuesOf<typeof sharedSettings>;

function wholeNumber(least: number, most: number) {
  const rule = `it must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, rule)
    .transform(Number)
    .refine((value) => value >= least && value <= most, rule);
}

function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
}
