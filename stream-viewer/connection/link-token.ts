/** The token of the link that opened this page. */
export interface LinkToken {
  /** Null: the address had none, and none is kept from before. */
  readonly value: string | null;
  /** The core sends one that lasts longer. */
  replace(token: string): void;
}

/**
 * Takes the token out of the address at once, so that it is in no history, no screenshot and no copied address, and keeps it in memory
 * and for this tab (a reload works; another tab, or this one after it was closed, needs the link again).
 */
export function takeLinkToken(page: { location: Location; history: History; storage: () => Storage }): LinkToken {
  const { pathname, search, hash } = page.location;
  const key = `switchboard:${pathname}`;
  const kept = keptIn(page.storage, key);
  let value = kept.read();
  if (hash.length > 1) {
    value = attempt(() => decodeURIComponent(hash.slice(1))) ?? hash.slice(1);
    page.history.replaceState(null, '', pathname + search);
    kept.write(value);
  }
  return {
    get value() {
      return value;
    },
    replace(token) {
      value = token;
      kept.write(token);
    },
  };
}

/** @returns null where it throws. A link that was cut within `%20` is no token, and the core says so. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

/** A browser that is told to keep nothing throws at the first touch: the token is in memory anyway. */
function keptIn(storage: () => Storage, key: string) {
  return {
    read: (): string | null => attempt(() => storage().getItem(key)),
    write: (value: string): void => void attempt(() => storage().setItem(key, value)),
  };
}
