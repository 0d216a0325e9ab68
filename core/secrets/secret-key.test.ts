import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { deriveKey, parseSecretKey } from './secret-key.ts';

const TEXT = '3q2+7wAAESIzRFVmd4iZqrvM3e7/ABEiM0RVZneImao=';

describe('SECRET_KEY', () => {
  it('may be base64, hex or a long phrase', () => {
    for (const text of [TEXT, 'ab'.repeat(32), 'correct horse battery staple, twice over']) {
      expect(deriveKey(parseSecretKey(text), 'settings')).toHaveLength(32);
    }
  });

  it('is refused when short, without being repeated in the message', () => {
    const parse = () => parseSecretKey('hunter2');
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(/at least 32 characters.*openssl rand -base64 32/);
    expect(parse).not.toThrow(/hunter2/);
  });

  it('shows no bytes when printed', () => {
    const key = parseSecretKey(TEXT);
    expect(inspect(key) + JSON.stringify({ key })).not.toContain(TEXT.slice(0, 8));
  });

  it('ignores the line end that a file or a shell leaves', () => {
    expect(deriveKey(parseSecretKey(`${TEXT}\n`), 'settings')).toEqual(deriveKey(parseSecretKey(TEXT), 'settings'));
  });
});

describe('a derived key', () => {
  it('is the same in every process, forever', () => {
    const key = deriveKey(parseSecretKey('0123456789abcdef0123456789abcdef'), 'settings');
    // Computed with Python: HKDF-SHA256, no salt, info "switchboard settings".
    expect(key.toString('hex')).toBe('b30ae881aeda4535cbc2ee42134d7c10b4c5fa62f6933b1f9b15cc582710baed');
  });

  it('differs by purpose and by secret', () => {
    const secret = parseSecretKey(TEXT);
    expect(deriveKey(secret, 'settings')).not.toEqual(deriveKey(secret, 'viewer links'));
    expect(deriveKey(secret, 'settings')).not.toEqual(deriveKey(parseSecretKey(`${TEXT}x`), 'settings'));
  });
});
