/**
 * An element of the page by its id. The page and this code are built together, so that a missing one is a defect.
 *
 * @throws Error
 */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}
