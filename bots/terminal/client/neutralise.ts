/** Space for the picture of a control character: `U+2400` and on. */
const pictures = 0x2400;
const pictureOfDelete = '\u2421';

/**
 * A text that somebody else wrote, safe to print on a terminal: no escape sequence in it works, nothing moves the cursor, sets a
 * title or writes to the clipboard, and nothing runs right to left over what stands before it. Line ends become `\n`; tabs stay.
 * A control character is shown as its picture (`␛`), so that it is seen that there was one.
 */
export function neutralise(text: string): string {
  return (
    text
      .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
      .replace(/[\u0000-\u0008\u000b-\u001f]/g, (control) => String.fromCharCode(pictures + control.charCodeAt(0)))
      .replaceAll('\u007f', pictureOfDelete)
      // C1, which some terminals obey as they do ESC sequences; bidirectional controls; invisible tags; halves of pairs
      .replace(/[\u0080-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|\p{Cs}/gu, '\ufffd')
  );
}

/** The same for what must stay on one line, such as a name. */
export function neutraliseLine(text: string): string {
  return neutralise(text).replace(/[\n\t]+/g, ' ');
}
