import { createHash } from 'node:crypto';

/** Longer ones are kept as a hash of themselves: a key of the database has to be short. */
const longest = 250;

/**
 * The Message-IDs in the value of Message-ID, In-Reply-To or References, with their angle brackets, in order, each once. What
 * stands between them (old programs write phrases there) is left out.
 */
export function messageIdsIn(value: string): string[] {
  const ids = value.match(/<[^<>\s]{1,2000}>/g) ?? [];
  return [...new Set(ids.map(shorten))];
}

/**
 * The Message-ID of a mail: its own, else one made from the whole of it, so that the same mail delivered again is recognised.
 */
export function messageIdOf(value: string | undefined, raw: Buffer): string {
  const [own] = messageIdsIn(value ?? '');
  if (own) return own;
  const bare = value?.trim() ?? '';
  if (/^[^\s<>]+$/.test(bare)) return shorten(`<${bare}>`);
  return `<sha256-${createHash('sha256').update(raw).digest('hex')}@no-message-id.invalid>`;
}

/** The Message-ID of a Delivery: the same at every attempt, so that a mail sent twice is known for one. */
export function messageIdOfDelivery(delivery: string, domain: string): string {
  return `<${delivery}@${domain}>`;
}

/** The Deliveries that Message-IDs of our own making name. */
export function deliveryOf(messageId: string): string | undefined {
  return /^<(d-[0-9a-z]+)@/.exec(messageId)?.[1];
}

/** References for an answer (RFC 5322 §3.6.4): those of the mail it answers, then that mail's own id. */
export function referencesFor(parent: { references: readonly string[]; messageId: string }): string[] {
  return boundedChain([...parent.references.filter((id) => id !== parent.messageId), parent.messageId]);
}

/** Of a long chain of References the first one and the last 19, so that the header stays short. */
export function boundedChain(ids: readonly string[]): string[] {
  return ids.length <= 20 ? [...ids] : [...ids.slice(0, 1), ...ids.slice(-19)];
}

function shorten(id: string): string {
  if (id.length <= longest) return id;
  return `<sha256-${createHash('sha256').update(id).digest('hex')}@long-message-id.invalid>`;
}
