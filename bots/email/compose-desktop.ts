import type { DesktopCard } from '../../core/delivery/door.ts';
import { openControlSeconds } from '../../core/desktops/viewer-links.ts';
import { escaped, textToHtml } from './text-to-html.ts';

/** A Desktop in a mail: what stands below the text, and the HTML part, which shows the still as the part `still` of the mail. */
export interface ComposedDesktop {
  /** Lines with plain links, the one that does most first. */
  text: string;
  html: string;
  /** To be attached inline under `still`'s Content-ID. */
  picture: Buffer | null;
}

/** Said where a mail has no link to control: there the person's own word gets one. */
const howToControl = 'To take over, answer this mail with the word: control';
/** Said where it has one. */
const forYouAlone = `The link to control is for you alone, and is to be opened within ${openControlSeconds / 60} minutes.`;

/**
 * Shows a Desktop in a mail.
 *
 * @param text what is said, which stands above it
 * @param still the Content-ID that the HTML names the still by
 */
export function composeDesktop(card: DesktopCard, text: string, still: string): ComposedDesktop {
  const { title, watchUrl, controlUrl, offersControl } = card;
  const links = [
    ...(controlUrl ? [{ label: 'Open and control', url: controlUrl }] : []),
    { label: 'Watch', url: watchUrl },
  ];
  const hint = controlUrl ? forYouAlone : offersControl ? howToControl : undefined;
  return {
    text: [title, ...links.map(({ label, url }) => `${label}: ${url}`), ...(hint ? [hint] : [])].join('\n'),
    html: page(title, [
      textToHtml(text),
      card.still ? picture(card.still, { title, url: links[0]?.url ?? watchUrl, still }) : heading(title),
      ...links.map(({ label, url }, n) => button(label, url, n === 0)),
      ...(hint ? [`<p style="margin:16px 0 0;color:#6b7280;font-size:14px">${escaped(hint)}</p>`] : []),
    ]),
    picture: card.still?.data ?? null,
  };
}

const font = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/** Mail programs read tables and inline styles everywhere, and style sheets in few places. */
function page(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escaped(title)}</title>
</head>
<body style="margin:0;padding:0">
<table role="presentation" width="100%" cellspacing="0" cellpadding="0" border="0"><tr><td style="padding:16px">
<div style="max-width:560px;${font};font-size:16px;line-height:1.5;overflow-wrap:anywhere">
${parts.filter((part) => part !== '').join('\n')}
</div>
</td></tr></table>
</body>
</html>
`;
}

function heading(title: string): string {
  return `<p style="margin:0 0 16px;font-weight:600">${escaped(title)}</p>`;
}

function picture(
  size: { width: number; height: number },
  about: { title: string; url: string; still: string },
): string {
  const { title, url, still } = about;
  const alt = `${title}, as it was when this was sent`;
  const style =
    'box-sizing:border-box;display:block;width:100%;max-width:560px;height:auto;border:1px solid #d1d5db;border-radius:8px';
  return `${heading(title)}
<a href="${escaped(url)}" style="text-decoration:none"><img src="cid:${escaped(still)}" width="${Math.min(size.width, 560)}" alt="${escaped(alt)}" style="${style}"></a>`;
}

/** As wide as the page and high enough for a thumb (44 pixels and more: Apple's Human Interface Guidelines). */
function button(label: string, url: string, isFirst: boolean): string {
  const [fill, ink] = isFirst ? ['#4b3fbf', '#ffffff'] : ['#e5e7eb', '#111827'];
  const link = `display:block;padding:14px 16px;${font};font-size:17px;line-height:24px;font-weight:600;color:${ink};text-align:center;text-decoration:none`;
  return `<table role="presentation" width="100%" cellspacing="0" cellpadding="0" border="0" style="margin:16px 0 0"><tr><td bgcolor="${fill}" style="border-radius:8px;background:${fill}"><a href="${escaped(url)}" style="${link}">${escaped(label)}</a></td></tr></table>`;
}
