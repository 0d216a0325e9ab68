import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { desktopSettings } from '../desktops/desktop-settings.ts';
import { LOG_LEVELS } from '../log/log.ts';
import { SECRET_KEY_LENGTH, SECRET_KEY_RULE } from '../secrets/secret-key.ts';
import { defineSettings, derived } from './setting.ts';
import {
  addressRange,
  baseUrl,
  commaList,
  hostName,
  oneOf,
  portNumber,
  seconds,
  text,
  wholeNumber,
} from './setting-types.ts';

const MODEL_PROVIDERS = ['anthropic', 'openai', 'openai-compatible'] as const;

const listening = defineSettings({
  PORT: { type: portNumber, default: 8080, description: 'The HTTP port. 0 takes any free one.' },
  HOST: {
    type: hostName,
    default: '127.0.0.1',
    description: 'The address to listen on for HTTP. 0.0.0.0 or :: listens on every one.',
  },
});

/** The keys of the core itself (design §8). Bots and connectors declare their own beside what reads them. */
export const coreSettings = defineSettings({
  ...listening,
  PUBLIC_URL: {
    type: baseUrl,
    default: derived(listening, ({ HOST, PORT }) => publicUrlFor(HOST, PORT)),
    description: 'The base of the links in messages: how people reach this server.',
  },
  ADVERTISE_URL: {
    type: baseUrl,
    default: derived(listening, ({ HOST, PORT }) => advertiseUrlFor(HOST, PORT)),
    description: 'How sandbox hosts reach this core process.',
  },
  DATA_DIR: {
    type: text,
    default: './data',
    environmentOnly: true,
    description: 'The folder of the embedded database, of attachments and of the key file.',
  },
  DATABASE_URL: {
    type: z.string().refine(isPostgresUrl, 'it must be a URL such as postgres://user:password@host:5432/name'),
    secret: true,
    environmentOnly: true,
    description: 'A PostgreSQL database to use instead of the embedded one. Needs SECRET_KEY.',
  },
  SECRET_KEY: {
    type: z.string().min(SECRET_KEY_LENGTH, SECRET_KEY_RULE),
    secret: true,
    environmentOnly: true,
    description:
      'Encrypts stored settings and signs tokens; the same for every core process on a database. With the embedded database it is DATA_DIR/secret.key unless set.',
  },
  MODEL: {
    type: z
      .string()
      .refine(
        isModel,
        `it must be a provider and a model with a slash between them, the provider one of ${MODEL_PROVIDERS.join(', ')}, such as anthropic/claude-sonnet-4-5`,
      ),
    description:
      'What AI Workers think with: anthropic/<model>, openai/<model> or openai-compatible/<model>. Without it they answer by looking up what was said.',
  },
  ANTHROPIC_API_KEY: { type: text, secret: true, description: 'The key for anthropic/<model>.' },
  ANTHROPIC_BASE_URL: { type: baseUrl, description: 'Another endpoint for anthropic/<model>.' },
  OPENAI_API_KEY: {
    type: text,
    secret: true,
    description: 'The key for openai/<model> and openai-compatible/<model>.',
  },
  OPENAI_BASE_URL: {
    type: baseUrl,
    description: 'Another endpoint for openai/<model>; required for openai-compatible/<model>. With its /v1.',
  },
  MODEL_STEP_LIMIT: {
    type: wholeNumber({ min: 1, max: 1000 }),
    default: 20,
    description: 'The most model steps in one Activation.',
  },
  MODEL_DEADLINE: { type: seconds, default: 600, description: 'The longest that one Activation may take, in seconds.' },
  HISTORY_TOKENS: {
    type: wholeNumber({ min: 1000, max: 10_000_000 }),
    default: 32_000,
    description: 'How much of a Thread a model is given, in tokens.',
  },
  WORKER_CONCURRENCY: {
    type: wholeNumber({ min: 1, max: 1000 }),
    default: 4,
    description: 'How many Threads a new AI Worker works on at once.',
  },
  DISPATCH_SLOTS: {
    type: wholeNumber({ min: 1, max: 1000 }),
    default: 16,
    description: 'How many Activations this core process runs at once.',
  },
  ...desktopSettings,
  METRICS_ALLOW: {
    type: commaList(addressRange),
    default: [],
    description: 'Addresses and ranges that may read /metrics besides this machine: 10.0.0.0/8,fd00::/8.',
  },
  LOG_LEVEL: {
    type: oneOf(...LOG_LEVELS),
    default: 'info',
    description: `How much is logged: ${LOG_LEVELS.join(', ')}.`,
  },
});

/**
 * The base URL that people on this machine reach an HTTP server by, for the address and port it listens on. For PUBLIC_URL's
 * default once a port of 0 has become a real one.
 */
export function publicUrlFor(host: string, port: number): string {
  const local = isEveryAddress(host) || host === '::1' || host.startsWith('127.');
  return `http://${local ? 'localhost' : bracketed(host)}:${port}`;
}

/** The base URL that other machines reach this process by: its first outward address when it listens on every one. */
export function advertiseUrlFor(host: string, port: number): string {
  if (!isEveryAddress(host)) return `http://${bracketed(host)}:${port}`;
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal);
  return `http://${outward?.address ?? '127.0.0.1'}:${port}`;
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function isPostgresUrl(value: string): boolean {
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
}

function isModel(value: string): boolean {
  const slash = value.indexOf('/');
  return MODEL_PROVIDERS.some((provider) => provider === value.slice(0, slash)) && /\S/.test(value.slice(slash + 1));
}
