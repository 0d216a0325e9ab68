import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt } from './encrypt.ts';

const key = randomBytes(32);

describe('an encrypted text', () => {
  it('opens with the same key and context', () => {
    for (const text of ['', 'xoxb-1', 'grüße ✉\nline two']) {
      expect(decrypt(key, encrypt(key, text, 'setting A'), 'setting A')).toBe(text);
    }
  });

  it('looks different each time and never holds the text', () => {
    const first = encrypt(key, 'the same text', 'setting A');
    expect(first).not.toBe(encrypt(key, 'the same text', 'setting A'));
    expect(Buffer.from(first.slice(3), 'base64url').toString('latin1')).not.toContain('the same');
  });

  it.each([
    ['another key', (sealed: string) => decrypt(randomBytes(32), sealed, 'setting A')],
    ['another context', (sealed: string) => decrypt(key, sealed, 'setting B')],
    ['a changed byte', (sealed: string) => decrypt(key, flipLastByte(sealed), 'setting A')],
    ['a cut value', (sealed: string) => decrypt(key, sealed.slice(0, 12), 'setting A')],
    ['an unknown version', (sealed: string) => decrypt(key, sealed.replace('v1', 'v9'), 'setting A')],
    ['an empty value', () => decrypt(key, '', 'setting A')],
  ])('does not open with %s', (_what, open) => {
    expect(() => open(encrypt(key, 'xoxb-1', 'setting A'))).toThrow(
      expect.objectContaining({
        code: 'wrong_secret_key',
        message: expect.stringMatching(/bring back the SECRET_KEY/),
      }),
    );
  });
});

function flipLastByte(sealed: string): string {
  const bytes = Buffer.from(sealed.slice(3), 'base64url');
  const last = bytes.length - 1;
  bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
  return `v1.${bytes.toString('base64url')}`;
}
