import type { Executor } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';

/** Names have at most so many words, as far as addressing goes. */
const nameWords = 4;

/**
 * The AI Worker named at the head of a text, whole words and any case: `Scout, look at this` or `@Scout look`. The longest name
 * wins. Null when the text begins with no Worker's name.
 */
export async function findAddressed(
  executor: Executor,
  organisation: OrganisationId,
  text: string,
): Promise<WorkerId | null> {
  const words = text
    .trimStart()
    .replace(/^@/, '')
    .split(/\s+/, nameWords)
    .map((word) => word.toLowerCase());
  const candidates: string[] = [];
  for (let n = 1; n <= words.length; n++) {
    const phrase = words.slice(0, n).join(' ');
    candidates.push(phrase, phrase.replace(/[\p{P}\p{S}]+$/u, ''));
    const beforePunctuation = /^(.*?)[,:;!?.…–—]/.exec(phrase)?.[1];
    if (beforePunctuation) candidates.push(beforePunctuation);
  }
  const [found] = await executor.query<{ id: WorkerId }>(
    `select id from worker where organisation = $1 and kind = 'ai' and dismissed_at is null and lower(name) = any($2::text[])
     order by length(name) desc, id limit 1`,
    [organisation, [...new Set(candidates)].filter((candidate) => candidate !== '')],
  );
  return found?.id ?? null;
}

const aside = /^\s*\(aside\)\s*/i;

/** `(aside) …`: people talk among themselves, the agent ignores it. */
export function isAside(text: string): boolean {
  return aside.test(text);
}

/** What a text asks of Switchboard itself rather than of an agent. */
export interface ChatCommand {
  name: string;
  argument: string;
  /** Written with a slash: certainly meant as a command. */
  slash: boolean;
}

/**
 * The command in a text: `/name argument`, or the bare name. Whether there is such a command is for the caller to say; without a
 * slash only a short single line can be one.
 */
export function parseCommand(text: string): ChatCommand | null {
  const match = /^(\/?)([a-z][a-z-]*)(?:[ \t]+(\S.*))?$/is.exec(text.trim());
  if (!match) return null;
  const [, slash = '', name = '', argument = ''] = match;
  if (!slash && /[\r\n]/.test(argument)) return null;
  return { name: name.toLowerCase(), argument: argument.trim(), slash: slash === '/' };
}
