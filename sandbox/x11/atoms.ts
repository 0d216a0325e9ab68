import type { XConnection } from './connect.ts';

/** Atoms that every X server numbers alike (X Window System Protocol, appendix B). */
export const predefinedAtom = { primary: 1, atom: 4, integer: 19, string: 31, wmClass: 67 } as const;

/** The numbers that an X server has for names. */
export async function internAtoms<N extends string>(x: XConnection, names: readonly N[]): Promise<Record<N, number>> {
  const numbers = await Promise.all(
    names.map((name) => x.ask<number>((reply) => x.client.InternAtom(false, name, reply))),
  );
  return Object.fromEntries(names.map((name, index) => [name, numbers[index]])) as Record<N, number>;
}
