import { type BatchOutcome, batching, oncePer } from '../store/batching.ts';
import type { Database } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';
import { toJson } from '../store/json.ts';

/** Names have at most so many words, as far as addressing goes. */
const nameWords = 4;

/** A text's possible names, in lower case. */
interface Lookup {
  organisation: OrganisationId;
  candidates: string[];
}

const lookupsOf = oncePer((database: Database) =>
  batching((lookups: Lookup[]) => findByName(database, lookups), { atMost: 64, inFlight: 2 }),
);

/**
 * The AI Worker named at the head of a text, whole words and any case: `Scout, look at this` or `@Scout look`. The longest name
 * wins. Null when the text begins with no Worker's name.
 */
export async function findAddressed(
  database: Database,
  organisation: OrganisationId,
  text: string,
): Promise<WorkerId | null> {
  const candidates = possibleNames(text);
  return candidates.length === 0 ? null : await lookupsOf(database)({ organisation, candidates });
}

/** How a Worker might be called by the first words of a text, in lower case. */
export function possibleNames(text: string): string[] {
  const words = text
    .trimStart()
    .replace(/^@/, '')
    .split(/\s+/, nameWords)
    .map((word) => word.toLowerCase());
  const candidates = new Set<string>();
  for (let n = 1; n <= words.length; n++) {
    const phrase = words.slice(0, n).join(' ');
    candidates.add(phrase).add(phrase.replace(/[\p{P}\p{S}]+$/u, ''));
    const beforePunctuation = /^(.*?)[,:;!?.…–—]/.exec(phrase)?.[1];
    if (beforePunctuation) candidates.add(beforePunctuation);
  }
  candidates.delete('');
  return [...candidates];
}

/** SQL: the id of the AI Worker of the organisation `organisation` whose name is one of the json array `names`, the longest name first. */
export function workerNamed(organisation: string, names: string): string {
  return `(select named.id from worker named
   where named.organisation = ${organisation} and named.kind = 'ai' and named.dismissed_at is null
     and lower(named.name) = any (array(select json_array_elements_text(${names})))
   order by length(named.name) desc, named.id limit 1)`;
}

async function findByName(database: Database, lookups: Lookup[]): Promise<BatchOutcome<WorkerId | null>[]> {
  const rows = await database.query<{ id: WorkerId | null }>(
    `select ${workerNamed('i.organisation', 'i.candidates')} as id
     from json_to_recordset($1::json) i(n int, organisation text, candidates json) order by i.n`,
    [toJson(lookups.map((lookup, n) => ({ n, ...lookup })))],
  );
  return rows.map(({ id }) => ({ value: id }));
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
