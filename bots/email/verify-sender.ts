import { Resolver } from 'node:dns/promises';
import { type AuthenticateResult, authenticate, type DKIMResult, type DNSResolver } from 'mailauth';
import { type AddressRanges, isPrivateAddress } from './address-ranges.ts';
import { domainOf, normaliseAddress } from './mail-address.ts';

/** A mail as it came in, before anybody has read it. */
export interface ArrivedMail {
  raw: Buffer;
  /** The IP address it came from. */
  peer: string;
  /** What the peer called itself. */
  helo: string;
  /** MAIL FROM; empty for the null sender. */
  envelopeFrom: string;
}

/**
 * What speaks for a mail's sender: a relay that vouches for all it passes on, or the domain of the one From address.
 * `coversReplyTo` is false when somebody on the way may have added the Reply-To field.
 */
export type Verification =
  | { by: 'relay' }
  | { by: 'authentication'; address: string; coversReplyTo: boolean }
  | undefined;

/** How to verify; `resolver` stands for the DNS. */
export interface VerifyOptions {
  trustedRelays: AddressRanges;
  resolver?: DNSResolver;
  /** For all look-ups together, in milliseconds; default 5000. */
  timeLimitMs?: number;
}

/** An honest mail has two or three. Each costs a look-up and may cost a pass over the body. */
const mostSignatures = 10;

/**
 * Finds out whether the From address of a mail may be believed (design §5): it comes from a relay that vouches for it, or it is
 * authenticated by DKIM or SPF for the domain of that address as DMARC demands it (RFC 9989 §5.3; for a domain without a
 * DMARC record the signing or sending domain must be the very same). A look-up that fails or takes too long verifies nothing. A
 * peer on a private network has no SPF, and its mail is looked into only if it is signed.
 *
 * Never throws.
 */
export async function verifySender(mail: ArrivedMail, options: VerifyOptions): Promise<Verification> {
  if (options.trustedRelays(mail.peer)) return { by: 'relay' };
  const signatures = headerBlock(mail.raw).match(/^dkim-signature[ \t]*:/gim)?.length ?? 0;
  const hasSpf = !isPrivateAddress(mail.peer);
  if ((signatures === 0 && !hasSpf) || signatures > mostSignatures) return undefined;

  const dns = new Resolver({ timeout: 2000, tries: 2 });
  const limit = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    dns.cancel();
    limit.resolve(undefined);
  }, options.timeLimitMs ?? 5000);
  try {
    const result = await Promise.race([
      authenticate(mail.raw, {
        resolver: options.resolver ?? ((domain, type) => dns.resolve(domain, type) as Promise<string[]>),
        ...(hasSpf ? { ip: mail.peer, helo: mail.helo, sender: mail.envelopeFrom } : {}),
        rejectRsaSha1: true,
        disableArc: true,
        disableBimi: true,
      }),
      limit.promise,
    ]);
    return result && believed(result);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function believed(result: AuthenticateResult): Verification {
  const [author, ...others] = result.dkim.headerFrom;
  const address = normaliseAddress(author);
  if (!address || others.length > 0 || result.dkim.fromFields !== 1 || !result.dmarc) return undefined;
  const dmarc = result.dmarc.status.result;
  if (dmarc !== 'pass' && dmarc !== 'none') return undefined;
  const domain = domainOf(address);
  const aligned = (other: string | false | undefined) =>
    dmarc === 'pass' ? Boolean(other) : other !== undefined && other !== false && other.toLowerCase() === domain;

  const spf =
    dmarc === 'pass'
      ? result.dmarc.alignment.spf.result
      : result.spf && result.spf.status.result === 'pass' && result.spf.domain;
  if (aligned(spf)) return { by: 'authentication', address, coversReplyTo: true };
  const signatures = result.dkim.results.filter(
    // `l=` leaves the end of the body unsigned: anybody may have written it.
    (each) => each.status.result === 'pass' && !each.status.underSized && aligned(alignedDomain(each, dmarc)),
  );
  if (signatures.length === 0) return undefined;
  return { by: 'authentication', address, coversReplyTo: signatures.some(signsReplyTo) };
}

function alignedDomain(signature: DKIMResult, dmarc: 'pass' | 'none'): string | false | undefined {
  return dmarc === 'pass' ? signature.status.aligned : signature.signingDomain;
}

function signsReplyTo(signature: DKIMResult): boolean {
  const fields = signature.signingHeaders?.keys.toLowerCase().split(/\s*:\s*/) ?? [];
  return fields.includes('reply-to');
}

/** The header fields, unparsed. */
function headerBlock(raw: Buffer): string {
  const end = raw.indexOf('\r\n\r\n');
  return raw.subarray(0, end < 0 ? raw.length : end).toString('latin1');
}
