import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ConfigurationError } from '../errors.ts';

const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a text by AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D §8.2.2: safe for 2^32 texts per key).
 *
 * @param key 32 bytes, from {@link deriveKey}
 * @param context what the text is and whose (`setting o-1 SMTP_URL`): authenticated but not stored, so that a value copied
 *   into another row does not open there
 * @returns `v1.` and base64url of nonce, tag and ciphertext: fit for a text column
 */
export function encrypt(key: Buffer, text: string, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return `${VERSION}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
}

/**
 * The text that {@link encrypt} was given, for the same key and context.
 *
 * @throws ConfigurationError (`wrong_secret_key`) when it does not open: another SECRET_KEY, or a damaged value.
 */
export function decrypt(key: Buffer, sealed: string, context: string): string {
  const [version, encoded = ''] = sealed.split('.', 2);
  const bytes = Buffer.from(encoded, 'base64url');
  try {
    if (version !== VERSION) throw new Error(`encrypted in an unknown form "${version}"`);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new ConfigurationError(
      `${context} does not open with this SECRET_KEY: bring back the SECRET_KEY (or secret.key) it was stored with, or set it anew`,
      'wrong_secret_key',
      { cause },
    );
  }
}
