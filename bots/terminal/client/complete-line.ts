import type { Completions } from '../wire.ts';

/** What begins like the line so far: commands of the core and of this client, and agents to address. */
export function completionsOf(line: string, known: Completions, ownCommands: readonly string[]): string[] {
  if (line === '' || line.includes('\n')) return [];
  const commands = [...known.commands.map((command) => command.name), ...ownCommands];
  const candidates = [
    ...commands.map((name) => (line.startsWith('/') ? `/${name}` : name)),
    ...known.workers.map(({ name }) => (line.startsWith('@') ? `@${name}` : name)),
  ];
  const begun = line.toLowerCase();
  const found = candidates.filter((candidate) => candidate.toLowerCase().startsWith(begun));
  return [...new Set(found)].sort();
}

/** How far several candidates go together, in whatever case. */
export function commonBeginning(candidates: readonly string[]): string {
  const [first = '', ...others] = candidates;
  let length = first.length;
  for (const other of others) while (!other.toLowerCase().startsWith(first.slice(0, length).toLowerCase())) length--;
  return first.slice(0, length);
}
