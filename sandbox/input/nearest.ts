/** The names that are nearest to a wrong one, nearest first: by how many characters would have to change (Levenshtein), whatever their case. */
export function nearest(wrong: string, names: readonly string[], count: number): string[] {
  const small = wrong.toLowerCase();
  return names
    .map((name) => ({ name, distance: distance(small, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ name }) => name);
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
