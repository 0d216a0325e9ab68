import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import { redactLinks } from './redact-links.ts';

const key = createSecretKey('somebody else', 'utf8');
const publicUrl = 'https://desk.example.com';
const claims = { organisation: 'default', desktop: 'd-1', mode: 'watch', jti: 'j-1', exp: 2_000_000_000 };
const { header, payload } = parts(jwt.sign(claims, key));
const token = `${header}.${payload}.${'x'.repeat(86)}`;

function parts(signed: string): { header: string; payload: string } {
  const [header = '', payload = ''] = signed.split('.');
  return { header, payload };
}

describe('a text from outside', () => {
  it.each<[string, string]>([
    [`> Watch: ${publicUrl}/d/d-1#${token}\n> thanks`, `> Watch: ${publicUrl}/d/d-1#token-removed\n> thanks`],
    [`<${publicUrl}/wall#${token}|All desktops>`, `<${publicUrl}/wall#token-removed|All desktops>`],
    [
      `https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fdesk.example.com%2Fd%2Fd-1%23${token}&data=05`,
      'https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fdesk.example.com%2Fd%2Fd-1%23token-removed&data=05',
    ],
    [`the token is ${token}.`, 'the token is token-removed.'],
    [
      `${publicUrl}/d/d-1#${token} and ${publicUrl}/d/d-2#${token}`,
      `${publicUrl}/d/d-1#token-removed and ${publicUrl}/d/d-2#token-removed`,
    ],
  ])('has no token of our links: %#', (text, redacted) => {
    expect(redactLinks(publicUrl, text)).toBe(redacted);
  });

  it('has none that opens anything where a mail program has broken the line', () => {
    const broken = `> ${publicUrl}/d/d-1#${token.slice(0, 60)}\n> ${token.slice(60)}`;
    expect(redactLinks(publicUrl, broken)).toBe(`> ${publicUrl}/d/d-1#token-removed\n> ${token.slice(60)}`);
  });

  it('keeps what is not ours', () => {
    const other = parts(jwt.sign({ sub: 'somebody' }, key));
    for (const text of [
      'nothing to see',
      `${publicUrl}/d/d-1`,
      `${publicUrl}/d/d-1#section`,
      `their token: ${other.header}.${other.payload}.${'x'.repeat(86)}`,
      'eyJ is how such things begin',
    ])
      expect(redactLinks(publicUrl, text)).toBe(text);
  });

  it('is looked through in a time that grows with its length alone', () => {
    const begun = performance.now();
    redactLinks(publicUrl, 'eyJ'.repeat(700_000));
    redactLinks(publicUrl, `${`${publicUrl}/d/`.repeat(50_000)}eyJ`);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
