import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { ConfigurationError } from '../errors.ts';

/**
 * The one secret that every other key is derived from. A `KeyObject`: logged or turned into JSON by mistake, it
 * shows no bytes.
 */
export type SecretKey = KeyObject;

/** Fewest characters of a SECRET_KEY: 32 random bytes are 43 or 44 in base64 and 64 in hex, so both pass. */
export const SECRET_KEY_LENGTH = 32;

/** What a SECRET_KEY must be and how to make one, as the end of a sentence. */
export const SECRET_KEY_RULE = `it must have at least ${SECRET_KEY_LENGTH} characters; make one with: openssl rand -base64 32`;

/**
 * The text of SECRET_KEY (or of the key file) as a key. The text itself is the material, not what it may decode to, so that
 * a key file's content may be moved into SECRET_KEY unchanged and opens the same database.
 *
 * @throws ConfigurationError when it is too short; the message never holds the text.
 */
export function parseSecretKey(text: string): SecretKey {
  const material = text.trim();
  if (material.length < SECRET_KEY_LENGTH) throw new ConfigurationError(`SECRET_KEY is too short: ${SECRET_KEY_RULE}`);
  return createSecretKey(material, 'utf8');
}

/**
 * A key of 32 bytes for one purpose, by HKDF-SHA256 (RFC 5869) without a salt: the input is random already (§3.1 there).
 * Different purposes give unrelated keys; the same purpose always gives the same one, in every core process.
 *
 * @param purpose a short fixed name such as `settings`; changing it makes what was encrypted under it unreadable.
 */
export function deriveKey(secret: SecretKey, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `switchboard ${purpose}`, 32));
}
