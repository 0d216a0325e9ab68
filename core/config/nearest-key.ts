/**
 * The known key that is nearest to a mistyped one: by the fewest letters to insert, drop, exchange or swap (optimal string
 * alignment, Boytsov 2011 §2.2), upper and lower case alike. The first of several equally near ones.
 *
 * @returns undefined only when `known` is empty
 */
export function nearestKey(mistyped: string, known: Iterable<string>): string | undefined {
  let nearest: { key: string; distance: number } | undefined;
  for (const key of known) {
    const distance = lettersBetween(mistyped.toLowerCase(), key.toLowerCase());
    if (nearest === undefined || distance < nearest.distance) nearest = { key, distance };
  }
  return nearest?.key;
}

function lettersBetween(from: string, to: string): number {
  let twoBack: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
        swapped ? at(twoBack, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    twoBack = previous;
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
