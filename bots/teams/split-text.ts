/**
 * The most that goes into one message, in UTF-16 units. Teams takes about 28 KB of payload encoded as UTF-16, escapes and all
 * ("Format your bot messages", "Limits and specifications"): 12,000 units are 24,000 bytes.
 */
export const longestMessage = 12_000;

const fence = /^ {0,3}(`{3,}|~{3,})[^`]*$/;

/** A text in pieces that fit, cut between paragraphs, else lines, else words. Code that is cut is closed and opened again. */
export function splitText(text: string, most = longestMessage): string[] {
  const pieces: string[] = [];
  let rest = text.trim();
  while (rest.length > most) {
    const { head, tail } = cutOnce(rest, most);
    pieces.push(head);
    rest = tail;
  }
  return rest === '' ? pieces : [...pieces, rest];
}

/** A draft that has grown too long shows its beginning. */
export function cutDraft(text: string, most = longestMessage): string {
  const [head = '', ...more] = splitText(text, most - 2);
  return more.length > 0 ? `${head}\n…` : head;
}

function cutOnce(text: string, most: number): { head: string; tail: string } {
  // Room for closing a fence.
  const at = placeToCut(text, most - 8);
  const head = text.slice(0, at).trimEnd();
  const tail = text.slice(at).replace(/^\n+| +/, '');
  const opened = openFence(head);
  if (!opened) return { head, tail };
  const mark = /[`~]+/.exec(opened)?.[0] ?? '```';
  return { head: `${head}\n${mark}`, tail: `${opened}\n${tail}` };
}

/** Not in the first half, so that no piece is tiny; never between the halves of a surrogate pair. */
function placeToCut(text: string, most: number): number {
  for (const separator of ['\n\n', '\n', ' ']) {
    const at = text.lastIndexOf(separator, most);
    if (at > most / 2) return at;
  }
  const unit = text.charCodeAt(most - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? most - 1 : most;
}

/** The line that opened the code block in which a text ends. */
function openFence(text: string): string | undefined {
  let opened: string | undefined;
  for (const line of text.split('\n')) {
    const mark = fence.exec(line)?.[1];
    if (mark === undefined) continue;
    if (opened === undefined) opened = line;
    else if (line.trim().startsWith(/[`~]+/.exec(opened)?.[0] ?? '')) opened = undefined;
  }
  return opened !== undefined && opened.length < 100 ? opened : undefined;
}
