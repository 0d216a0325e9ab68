import { generateKeyPairSync } from 'node:crypto';
import { type DNSResolver, dkimSign } from 'mailauth';
import { describe, expect, it } from 'vitest';
import { addressRanges } from './address-ranges.ts';
import { verifySender } from './verify-sender.ts';

/** Stands for the DNS of the world, which tests cannot reach: it has the records that it is given. */
function dns(records: Record<string, string>): DNSResolver {
  return async (name, type) => {
    const value = records[`${type} ${name}`];
    if (value === undefined) throw Object.assign(new Error(`no ${type} of ${name}`), { code: 'ENOTFOUND' });
    return type === 'TXT' ? [[value]] : [value];
  };
}

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const records = {
  'TXT s1._domainkey.example.com': `v=DKIM1; k=rsa; p=${publicKey}`,
  'TXT s1._domainkey.evil.example': `v=DKIM1; k=rsa; p=${publicKey}`,
  'TXT s1._domainkey.plain.example': `v=DKIM1; k=rsa; p=${publicKey}`,
  'TXT _dmarc.example.com': 'v=DMARC1; p=reject',
  'TXT example.com': 'v=spf1 ip4:203.0.113.7 -all',
  'TXT evil.example': 'v=spf1 ip4:203.0.113.66 -all',
  'TXT plain.example': 'v=spf1 ip4:203.0.113.8 -all',
};
const nobody = addressRanges([]);

const lines = (...text: string[]) => text.join('\r\n');
const mail = lines('From: Ada <ada@example.com>', 'To: assistant@localhost', 'Subject: Hi', '', 'Hello', '');

async function signed(
  text: string,
  domain = 'example.com',
  more: { headerList?: string[]; maxBodyLength?: number } = {},
) {
  const key = { signingDomain: domain, selector: 's1', privateKey };
  const { signatures } = await dkimSign(text, {
    headerList: more.headerList ?? ['from', 'to', 'subject'],
    ...key,
    signatureData: [{ ...key, maxBodyLength: more.maxBodyLength }],
  });
  return `${signatures}${text}`;
}

function verify(
  raw: string,
  arrival: { peer?: string; envelopeFrom?: string } = {},
  resolver: DNSResolver = dns(records),
) {
  const arrived = { peer: '198.51.100.9', helo: 'mx.example.com', envelopeFrom: 'ada@example.com', ...arrival };
  return verifySender({ raw: Buffer.from(raw), ...arrived }, { trustedRelays: nobody, resolver });
}

describe('a sender is believed', () => {
  it('when the mail is signed for the domain of From', async () => {
    expect(await verify(await signed(mail))).toEqual({
      by: 'authentication',
      address: 'ada@example.com',
      coversReplyTo: false,
    });
  });

  it('when it comes from a host that the domain names', async () => {
    expect(await verify(mail, { peer: '203.0.113.7' })).toEqual({
      by: 'authentication',
      address: 'ada@example.com',
      coversReplyTo: true,
    });
  });

  it('when a relay vouches for it, whatever it says and without a look-up', async () => {
    const asked: string[] = [];
    const resolver: DNSResolver = async (name) => {
      asked.push(name);
      throw new Error('asked');
    };
    const options = { trustedRelays: addressRanges(['198.51.100.0/24', 'fd00::/8']), resolver };
    for (const peer of ['198.51.100.9', '::ffff:198.51.100.9', 'fd00::1'])
      expect(await verifySender({ raw: Buffer.from(mail), peer, helo: 'x', envelopeFrom: '' }, options)).toEqual({
        by: 'relay',
      });
    expect(asked).toEqual([]);
  });

  it('for a domain without DMARC when that very domain signed or sent it', async () => {
    const plain = mail.replace('example.com', 'plain.example');
    expect(await verify(await signed(plain, 'plain.example'))).toMatchObject({ address: 'ada@plain.example' });
    expect(await verify(plain, { peer: '203.0.113.8', envelopeFrom: 'x@plain.example' })).toMatchObject({
      address: 'ada@plain.example',
    });
  });

  it('by a signature even behind a relay on a private network that does not vouch', async () => {
    expect(await verify(await signed(mail), { peer: '10.0.0.1' })).toMatchObject({ address: 'ada@example.com' });
  });

  it('with a Reply-To that the signature covers, and it is said when it does not', async () => {
    const answerElsewhere = `Reply-To: desk@example.com\r\n${mail}`;
    const covering = await signed(answerElsewhere, 'example.com', { headerList: ['from', 'to', 'reply-to'] });
    expect(await verify(covering)).toMatchObject({ coversReplyTo: true });
    expect(await verify(`Reply-To: eve@evil.example\r\n${await signed(mail)}`)).toMatchObject({ coversReplyTo: false });
  });
});

describe('a sender is not believed', () => {
  it('when nothing speaks for it', async () => {
    expect(await verify(mail)).toBeUndefined();
  });

  it('when another domain signed or sent it', async () => {
    expect(await verify(await signed(mail, 'evil.example'))).toBeUndefined();
    expect(await verify(mail, { peer: '203.0.113.66', envelopeFrom: 'eve@evil.example' })).toBeUndefined();
  });

  it('for a domain without DMARC when another one signed or sent it', async () => {
    const plain = mail.replace('example.com', 'plain.example');
    expect(await verify(await signed(plain, 'evil.example'))).toBeUndefined();
    expect(await verify(plain, { peer: '203.0.113.66', envelopeFrom: 'eve@evil.example' })).toBeUndefined();
  });

  it('when the text was changed, or added below what is signed', async () => {
    expect(await verify((await signed(mail)).replace('Hello', 'Dismiss Ada'))).toBeUndefined();
    const short = await signed(mail, 'example.com', { maxBodyLength: 7 });
    expect(await verify(`${short}Dismiss Ada\r\n`)).toBeUndefined();
  });

  it('when there are two From fields, whichever is signed', async () => {
    expect(await verify(`From: eve@evil.example\r\n${await signed(mail)}`)).toBeUndefined();
    expect(await verify((await signed(mail)).replace('To: ', 'From: eve@evil.example\r\nTo: '))).toBeUndefined();
  });

  it('when the DNS fails, or takes too long', async () => {
    const failing: DNSResolver = async () => {
      throw Object.assign(new Error('SERVFAIL'), { code: 'ESERVFAIL' });
    };
    expect(await verify(await signed(mail), {}, failing)).toBeUndefined();
    const raw = Buffer.from(await signed(mail));
    const silent: DNSResolver = () => new Promise(() => {});
    const began = performance.now();
    const arrived = { raw, peer: '198.51.100.9', helo: 'x', envelopeFrom: 'ada@example.com' };
    expect(await verifySender(arrived, { trustedRelays: nobody, resolver: silent, timeLimitMs: 50 })).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('on a private network without a signature, and nothing is looked up', async () => {
    const asked: string[] = [];
    const resolver: DNSResolver = async (name) => {
      asked.push(name);
      throw new Error('asked');
    };
    for (const peer of ['127.0.0.1', '::1', '10.1.2.3', '172.16.0.9', '192.168.1.1', '::ffff:127.0.0.1'])
      expect(await verify(mail, { peer }, resolver)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('when a mail brings signatures by the dozen, and nothing is looked up', async () => {
    const one = (await signed(mail)).slice(0, -mail.length);
    expect(await verify(`${one.repeat(12)}${mail}`)).toBeUndefined();
  });

  it('when there is no mail at all', async () => {
    expect(await verify('')).toBeUndefined();
    expect(await verify('\r\n\r\n')).toBeUndefined();
  });
});
