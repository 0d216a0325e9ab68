import { describe, expect, it } from 'vitest';
import { parseMail } from './parse-mail.ts';
import { senderOf } from './sender-of.ts';
import type { Verification } from './verify-sender.ts';

async function sender(headers: string, verification: Verification, envelopeFrom = 'bounces@example.com') {
  return senderOf(await parseMail(Buffer.from(`${headers}\r\n\r\nhi`)), verification, envelopeFrom);
}

const relay: Verification = { by: 'relay' };
const signed: Verification = { by: 'authentication', address: 'ada@example.com', coversReplyTo: false };

describe('a sender', () => {
  it('who is believed is known by the From address and answered at Reply-To', async () => {
    expect(await sender('From: Ada <Ada@Example.com>\r\nReply-To: desk@example.com', relay)).toEqual({
      platform: 'mail',
      externalId: 'ada@example.com',
      name: 'Ada',
      verified: true,
      replyTo: 'desk@example.com',
    });
    expect(await sender('From: ada@example.com', signed)).toMatchObject({
      platform: 'mail',
      replyTo: 'ada@example.com',
    });
  });

  it('who is not believed is the one whom the answer goes to, never the one in From', async () => {
    expect(await sender('From: Ada <ada@example.com>\r\nReply-To: eve@evil.example', undefined)).toEqual({
      platform: 'mail-unverified',
      externalId: 'eve@evil.example',
      name: '',
      verified: false,
      replyTo: 'eve@evil.example',
    });
    expect(await sender('From: Ada <ada@example.com>', undefined)).toMatchObject({
      platform: 'mail-unverified',
      externalId: 'ada@example.com',
      name: 'Ada',
    });
  });

  it('is not believed with a Reply-To that somebody may have added to a signed mail', async () => {
    const diverted = 'From: ada@example.com\r\nReply-To: eve@evil.example';
    expect(await sender(diverted, signed)).toMatchObject({
      platform: 'mail-unverified',
      externalId: 'eve@evil.example',
    });
    expect(await sender(diverted, { ...signed, coversReplyTo: true })).toMatchObject({ platform: 'mail' });
  });

  it.each([
    ['two From fields', 'From: eve@evil.example\r\nFrom: ada@example.com'],
    ['two authors', 'From: ada@example.com, eve@evil.example'],
    ['two Reply-To fields', 'From: ada@example.com\r\nReply-To: ada@example.com\r\nReply-To: eve@evil.example'],
  ])('is not believed with %s, not even from a relay', async (_what, headers) => {
    for (const verification of [relay, { ...signed, coversReplyTo: true }])
      expect(await sender(headers, verification)).toMatchObject({ verified: false });
  });

  it('is not believed when another address was verified', async () => {
    expect(await sender('From: bob@example.com', signed)).toMatchObject({ verified: false });
  });

  it('without any address is nobody', async () => {
    expect(await sender('Subject: x', relay, '')).toBeUndefined();
    expect(await sender('Subject: x', relay, 'sam@example.com')).toMatchObject({
      externalId: 'sam@example.com',
      verified: false,
    });
  });
});
