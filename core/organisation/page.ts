/** A page of a list, in the order of the ids. */
export interface Page<Item> {
  items: Item[];
  /** Say it to get the next page; null when there is none. */
  cursor: string | null;
}

/** Where a list goes on: after this id (a cursor is the last id seen), and how many to give. */
export interface PageRequest {
  cursor?: string | undefined;
  limit: number;
}

/** Cuts what was selected with `limit + 1` to the page, and says where the next one begins. */
export function pageOf<Item>(rows: Item[], limit: number, idOf: (item: Item) => string): Page<Item> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, cursor: rows.length > limit && last ? idOf(last) : null };
}
