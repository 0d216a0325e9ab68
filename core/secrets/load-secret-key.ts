import { ConfigurationError } from '../errors.ts';
import { readOrMakeKeyFile } from './key-file.ts';
import { parseSecretKey, SECRET_KEY_RULE, type SecretKey } from './secret-key.ts';

/**
 * The key of this deployment: SECRET_KEY when set, else the key file beside the embedded database. With a DATABASE_URL the
 * key must be configured, because every core process on that database needs the same one.
 *
 * @throws ConfigurationError when DATABASE_URL is set without SECRET_KEY, or the key is unusable.
 */
export async function loadSecretKey(from: {
  SECRET_KEY: string | undefined;
  DATABASE_URL: string | undefined;
  DATA_DIR: string;
}): Promise<SecretKey> {
  if (from.SECRET_KEY !== undefined) return parseSecretKey(from.SECRET_KEY);
  if (from.DATABASE_URL !== undefined) {
    throw new ConfigurationError(
      `DATABASE_URL is set without SECRET_KEY: set the same SECRET_KEY for every core process on it; ${SECRET_KEY_RULE}`,
    );
  }
  return readOrMakeKeyFile(from.DATA_DIR);
}
