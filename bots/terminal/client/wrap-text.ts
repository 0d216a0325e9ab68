const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

const invisible = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const emoji = /\p{Emoji_Presentation}|\ufe0f/u;
const tabWidth = 4;

/** How many columns a grapheme takes on a terminal (East Asian Wide and Fullwidth of Unicode's UAX #11, and emoji: two). */
export function widthOf(grapheme: string): number {
  const code = grapheme.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x7f) return 1;
  if (invisible.test(grapheme)) return 0;
  return isWide(code) || emoji.test(grapheme) ? 2 : 1;
}

/** The columns that a text without line ends takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += segment === '\t' ? tabWidth : widthOf(segment);
  return width;
}

/** One row of a wrapped text. */
export interface Row {
  text: string;
  /** Where the row ends in the text that was wrapped, its line end included, in UTF-16 units. */
  end: number;
  /** A line end follows, rather than the edge of the screen. */
  endsLine: boolean;
}

/** A text in rows of at most so many columns, broken where a terminal breaks them: anywhere. Tabs become spaces. */
export function wrapText(text: string, columns: number): Row[] {
  const rows: Row[] = [];
  let row = '';
  let width = 0;
  let at = 0;
  const push = (endsLine: boolean) => {
    rows.push({ text: row, end: at, endsLine });
    row = '';
    width = 0;
  };
  for (const { segment } of graphemes.segment(text)) {
    if (segment === '\n') {
      at += 1;
      push(true);
      continue;
    }
    const shown = segment === '\t' ? ' '.repeat(tabWidth) : segment;
    const more = segment === '\t' ? tabWidth : widthOf(segment);
    if (width + more > columns && width > 0) push(false);
    row += shown;
    width += more;
    at += segment.length;
  }
  if (row !== '' || rows.length === 0) push(false);
  return rows;
}

/** How many rows below its first one a line that was typed ends: counted as Node's readline does, which has drawn it. */
export function rowsBelow(line: string, columns: number): number {
  let offset = 0;
  for (const character of line) {
    const width = widthOf(character);
    if (width === 2 && (offset + 1) % columns === 0) offset++;
    offset += width;
  }
  return Math.floor(offset / columns);
}

function isWide(code: number): boolean {
  if (code < 0x1100) return false;
  return (
    code <= 0x115f ||
    (code >= 0x2e80 && code <= 0x303e) ||
    (code >= 0x3041 && code <= 0x33ff) ||
    (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x4e00 && code <= 0xa4cf) ||
    (code >= 0xa960 && code <= 0xa97f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff01 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1f64f) ||
    (code >= 0x1f680 && code <= 0x1f6ff) ||
    (code >= 0x1f900 && code <= 0x1f9ff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
