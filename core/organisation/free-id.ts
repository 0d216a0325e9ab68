import { idFromName } from '../store/ids.ts';

/**
 * The first id made from `name` that is not taken: `r-editor`, `r-editor-2`, … Safe only under the Organisation's lock
 * (change-organisation.ts).
 */
export async function freeId<P extends Parameters<typeof idFromName>[0]>(
  prefix: P,
  name: string,
  isTaken: (id: `${P}-${string}`) => Promise<boolean>,
): Promise<`${P}-${string}`> {
  const base = idFromName(prefix, name);
  for (let number = 1; ; number++) {
    const id: `${P}-${string}` = number === 1 ? base : `${base}-${number}`;
    if (!(await isTaken(id))) return id;
  }
}
