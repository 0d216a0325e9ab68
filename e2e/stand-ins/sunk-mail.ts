import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';

/** A mail as a sink keeps it: as it came, parsed, and the fields that tests ask for most. */
export type SunkMail = {
  receivedAt: Date;
  /** The SMTP envelope; an empty `from` is the null sender. */
  envelope: { from: string; to: string[] };
  raw: Buffer;
  parsed: ParsedMail;
  /** With its angle brackets, as are `inReplyTo` and `references`. */
  messageId: string | undefined;
  inReplyTo: string | undefined;
  references: string[];
  /** Addresses only, without names. */
  from: string;
  to: string[];
  subject: string;
  text: string;
  autoSubmitted: string | undefined;
  /** What is wrong with it (see {@link findMailProblems}); empty for a mail as it should be. */
  problems: string[];
};

/** Parses a mail that came by SMTP. */
export async function readMail(raw: Buffer, envelope: SunkMail['envelope']): Promise<SunkMail> {
  const parsed = await simpleParser(raw);
  return {
    receivedAt: new Date(),
    envelope,
    raw,
    parsed,
    messageId: parsed.messageId,
    inReplyTo: parsed.inReplyTo,
    references: [parsed.references ?? []].flat(),
    from: addressesOf(parsed.from)[0] ?? '',
    to: addressesOf(parsed.to),
    subject: parsed.subject ?? '',
    text: (parsed.text ?? '').trim(),
    autoSubmitted: headerLines(parsed, 'auto-submitted')[0],
    problems: findMailProblems(raw, parsed),
  };
}

/**
 * What an agent's mail must have: exactly one From, Date and Message-ID (RFC 5322 §3.6), lines of at most 998 octets that
 * end in CRLF (§2.1.1, RFC 5321 §2.3.8), Auto-Submitted (RFC 3834 §5), and In-Reply-To among its References (RFC 5322
 * §3.6.4).
 */
export function findMailProblems(raw: Buffer, parsed: ParsedMail): string[] {
  const problems: string[] = [];
  for (const name of ['From', 'Date', 'Message-ID']) {
    const count = headerLines(parsed, name.toLowerCase()).length;
    if (count !== 1) problems.push(`${count} ${name} headers instead of one`);
  }
  if (headerLines(parsed, 'auto-submitted').length === 0) problems.push('no Auto-Submitted header');
  const references = [parsed.references ?? []].flat();
  if (parsed.inReplyTo && !references.includes(parsed.inReplyTo)) {
    problems.push(`References do not contain In-Reply-To ${parsed.inReplyTo}`);
  }
  const lines = raw.toString('latin1').split('\r\n');
  const longest = Math.max(...lines.map((line) => line.length));
  if (longest > 998) problems.push(`a line of ${longest} octets, more than 998`);
  if (lines.some((line) => /[\r\n]/.test(line))) problems.push('a CR or LF by itself');
  return problems;
}

function headerLines(parsed: ParsedMail, name: string): string[] {
  return parsed.headerLines
    .filter((header) => header.key === name)
    .map((header) => header.line.slice(header.line.indexOf(':') + 1).trim());
}

function addressesOf(field: AddressObject | AddressObject[] | undefined): string[] {
  return [field ?? []]
    .flat()
    .flatMap((object) => object.value)
    .flatMap((entry) => entry.address ?? []);
}
