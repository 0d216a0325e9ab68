/** What the text of a message is read with. */
export interface TextReading {
  /** The app's own user: only its mention is taken out. */
  botUser: string;
  /** The name of a user, if it is known by now. */
  nameOf(user: string): string | undefined;
}

/** True when the app is mentioned in a text as Slack sends it. */
export function mentions(text: string, botUser: string): boolean {
  return text.includes(`<@${botUser}>`) || text.includes(`<@${botUser}|`);
}

/**
 * A text as Slack sends it (mrkdwn with `<…>` for everything that is not text, docs.slack.dev/messaging/formatting-message-text)
 * as markdown: without the app's own mention, other mentions as `@name`, links as links.
 */
export function textFromSlack(text: string, reading: TextReading): string {
  const own = new RegExp(`[ \\t]{0,9}<@${reading.botUser}(?:\\|[^<>]*)?>[ \\t]*[,:]?[ \\t]*`, 'g');
  const spoken = text.replace(own, (_, at: number) => (at === 0 ? '' : ' '));
  return decode(
    spoken
      .split(/(```[\s\S]*?```|`[^`\n]+`)/)
      .map((part, n) => (n % 2 === 1 ? plain(part, reading) : marked(part, reading)))
      .join(''),
  ).trim();
}

const token = /<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>/g;

function marked(text: string, reading: TextReading): string {
  return text
    .replace(token, (_, sigil: string, target: string, label?: string) => {
      if (sigil !== '') return named(sigil, target, label, reading);
      const shown = label?.trim() ?? '';
      if (/^mailto:|^tel:/.test(target)) return shown || target.replace(/^\w+:/, '');
      if (shown === '' || shown === target || shown === target.replace(/^https?:\/\//, '')) return target;
      return `[${shown.replace(/[[\]]/g, '\\$&')}](${target})`;
    })
    .replace(boldPair, '$1**$2**')
    .replace(strikePair, '$1~~$2~~');
}

/** Inside code nothing is marked: a link is its text. */
function plain(text: string, reading: TextReading): string {
  return text.replace(token, (_, sigil: string, target: string, label?: string) =>
    sigil === '' ? (label ?? target) : named(sigil, target, label, reading),
  );
}

function named(sigil: string, target: string, label: string | undefined, reading: TextReading): string {
  if (sigil === '@') return `@${label || reading.nameOf(target) || target}`;
  if (sigil === '#') return `#${label || target}`;
  // <!here>, <!subteam^S1|@team>, <!date^…^…|as text>
  const [word = ''] = target.split('^');
  return label || `@${word}`;
}

/** `*bold*` and `~gone~` as Slack reads them: at the edges of words, within a line. */
const boldPair = pairOf('*');
const strikePair = pairOf('~');

function pairOf(mark: string): RegExp {
  const inside = `([^${mark}\\n]*[^\\s${mark}])`;
  return new RegExp(
    `(^|[\\s([{"'_~*.,;:!?-])[${mark}](?![\\s${mark}])${inside}[${mark}](?![\\p{L}\\p{N}${mark}])`,
    'gmu',
  );
}

function decode(text: string): string {
  return text.replace(/&(amp|lt|gt);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>' })[name] ?? '');
}
