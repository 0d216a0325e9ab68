import { isViewerToken } from './viewer-token.ts';

/** How every token begins: `{"` in base64. */
const head = 'eyJ';

/** A JWT signed by ES256 (RFC 7518 §3.4: 64 bytes of signature). Its parts are bounded, so that looking for one takes no longer than the text is. */
const jwtShaped = /eyJ[\w-]{8,200}\.[\w-]{8,2000}\.[\w-]{86}/g;

/** What stands in a token's place. It is no token, and says so. */
const gone = 'token-removed';

/**
 * A text from outside without the tokens of our own links: who answers our mail quotes it, and what is said in a Thread is kept, searched and
 * shown to models. A token is found behind our own address, also when a mail program has broken its line (what is left then opens nothing), and
 * wherever else it stands whole, such as in the address by which Outlook leads to ours. The link without it still says which Desktop it was.
 */
export function redactLinks(publicUrl: string, text: string): string {
  if (!text.includes(head)) return text;
  const ours = new RegExp(
    `(${publicUrl.replace(/[^\w/:-]/g, '\\$&')}/(?:[df]/[\\w-]{1,150}|wall)#)${head}[\\w.~-]*`,
    'gi',
  );
  return text
    .replace(ours, (_, address: string) => `${address}${gone}`)
    .replace(jwtShaped, (token) => (isViewerToken(token) ? gone : token));
}
