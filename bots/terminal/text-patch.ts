/** What makes one text into the next: keep `at` UTF-16 units, then comes `text`. */
export interface TextPatch {
  at: number;
  text: string;
}

/** The shortest patch from the front: a text that grows is sent once, not at every look (design §4, streaming replies). */
export function patchBetween(before: string, after: string): TextPatch {
  const most = Math.min(before.length, after.length);
  let at = 0;
  while (at < most && before.charCodeAt(at) === after.charCodeAt(at)) at++;
  // never between the halves of a pair: JSON would carry it, but a proxy that re-encodes would not
  if (at > 0 && isHighSurrogate(after.charCodeAt(at - 1))) at--;
  return { at, text: after.slice(at) };
}

/** @throws RangeError when the patch is for a longer text than this one: something was missed. */
export function applyPatch(before: string, patch: TextPatch): string {
  if (patch.at > before.length) throw new RangeError(`a patch at ${patch.at} of a text of ${before.length}`);
  return before.slice(0, patch.at) + patch.text;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
