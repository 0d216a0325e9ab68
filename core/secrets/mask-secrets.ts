/**
 * `scheme://user:password@`: the authority ends at the first slash, question mark, hash, space or quote (RFC 3986 §3.2). As in
 * the WHATWG URL parser its last `@` ends the password, so user names that are mail addresses and passwords with an unescaped
 * `@` are covered. `\"` and `\\` are what JSON makes of a quote and a backslash.
 */
const PASSWORD_IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s:/?#"\\]*:)(?:\\["\\]|[^\s/?#"\\])*@/gi;

/** `Bearer …` and `Basic …`, as they stand in an Authorization header (RFC 9110 §11.6.2). */
const AUTHORIZATION = /\b(Bearer|Basic)\s+[\w.~+/-]{8,}=*/gi;

/**
 * A text, or a line of JSON, with the passwords of its URLs (`postgres://`, `smtp://`, any scheme) and its Authorization
 * credentials replaced by `***`. A net under the rule that secrets are never put into messages, not a licence to do so: a bare
 * token is not recognised.
 */
export function maskSecrets(text: string): string {
  return text.replace(PASSWORD_IN_URL, '$1***@').replace(AUTHORIZATION, '$1 ***');
}
