import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { UnavailableError } from '../../core/errors.ts';
import type { Log } from '../../core/log/log.ts';
import { isThisMachine } from './teams-settings.ts';

/** A key that the Bot Connector signs with, and the channels (`msteams`, `webchat`, …) that it may speak for. */
export interface SigningKey {
  key: KeyObject;
  endorsements: readonly string[];
}

/** The announced keys, fetched when they are needed. */
export interface SigningKeys {
  /**
   * The key of this id, or undefined when none is announced.
   *
   * @throws UnavailableError when the keys can't be fetched and none are held: who is asking is not known then
   */
  find(kid: string): Promise<SigningKey | undefined>;
}

/** Keys are fetched anew after a day ("Authentication with the Bot Connector API", step 3). */
const goodForMs = 24 * 3600_000;
/** An unknown key id has them fetched, but no more often: anybody can make one up. */
const atMostEveryMs = 5 * 60_000;
const timeoutMs = 10_000;
const largestAnswer = 1024 * 1024;

const metadata = z.object({ jwks_uri: z.string() });
const announced = z.object({
  keys: z.array(z.looseObject({ kid: z.string().optional(), endorsements: z.array(z.string()).optional() })).max(1000),
});

/**
 * Keys announced by an OpenID metadata document. They must lie on the document's own host. A fetch that fails leaves the keys
 * that are held as they are.
 */
export function openSigningKeys(metadataUrl: string, log: Pick<Log, 'warn'>): SigningKeys {
  let held: { keys: ReadonlyMap<string, SigningKey>; at: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  async function fetchOnce(): Promise<void> {
    fetching ??= fetchKeys(metadataUrl)
      .then((keys) => {
        held = { keys, at: performance.now() };
      })
      .catch((err: unknown) => {
        log.warn({ err }, 'the signing keys of the Bot Connector could not be fetched');
      })
      .finally(() => {
        triedAt = performance.now();
        fetching = undefined;
      });
    await fetching;
  }

  return {
    async find(kid) {
      const now = performance.now();
      const old = !held || now - held.at > goodForMs;
      const unknown = held !== undefined && !held.keys.has(kid);
      if (!held || ((old || unknown) && now - triedAt > atMostEveryMs)) await fetchOnce();
      if (!held)
        throw new UnavailableError(
          'the signing keys of the Bot Connector cannot be fetched: see the log, then try again',
        );
      return held.keys.get(kid);
    },
  };
}

async function fetchKeys(metadataUrl: string): Promise<Map<string, SigningKey>> {
  const { jwks_uri } = metadata.parse(await fetchJson(new URL(metadataUrl)));
  const url = new URL(jwks_uri, metadataUrl);
  const expected = new URL(metadataUrl);
  if (url.host !== expected.host || (url.protocol !== 'https:' && !isThisMachine(url.hostname)))
    throw new Error(`the metadata at ${expected.host} names keys elsewhere, at ${url.host}: they are not used`);
  const found = new Map<string, SigningKey>();
  for (const { kid, endorsements, ...jwk } of announced.parse(await fetchJson(url)).keys) {
    if (kid === undefined || jwk.kty !== 'RSA') continue;
    found.set(kid, { key: createPublicKey({ key: jwk, format: 'jwk' }), endorsements: endorsements ?? [] });
  }
  return found;
}

async function fetchJson(url: URL): Promise<unknown> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`${url.host} answered ${response.status}`);
  return JSON.parse(await readBounded(response, largestAnswer));
}

async function readBounded(response: Response, most: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > most) throw new Error(`the answer has more than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
