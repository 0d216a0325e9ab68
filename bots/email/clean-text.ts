/**
 * A text as PostgreSQL can hold it, in `text` and in `jsonb`: no NUL, no half of a surrogate pair, and not longer than
 * `longest` characters.
 */
export function cleanText(text: string, longest = Number.POSITIVE_INFINITY): string {
  const whole = text.length > longest ? text.slice(0, longest) : text;
  return whole.replaceAll('\u0000', '').toWellFormed();
}

/** One line of it: a subject, a name. Line breaks and other control characters become blanks. */
export function cleanLine(text: string, longest: number): string {
  return cleanText(text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim(), longest).trim();
}
