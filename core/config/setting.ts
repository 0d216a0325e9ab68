import type { z } from 'zod';

/**
 * One configuration key, as the folder that reads it declares it.
 *
 * `type` is given the text as a person wrote it, trimmed and never empty (an empty value counts as not set), and its output is
 * the value. Its messages must not repeat the text: they are shown for secrets too.
 */
export type Setting = {
  readonly type: z.ZodType;
  /** The value when nobody set one, or how it follows from others ({@link derived}). Without it the value may be undefined. */
  readonly default?: unknown;
  /** Never shown: tables and `config get` say `(set)`. */
  readonly secret?: true;
  /** Needed before the database is reached, so it cannot be stored in it. */
  readonly environmentOnly?: true;
  /** One sentence for docs/configuration.md and for people who ask. */
  readonly description: string;
};

/** Keys and their declarations, in the order in which they are shown. */
export type Settings = Readonly<Record<string, Setting>>;

/** What the keys hold once read: undefined is possible only where there is no default. */
export type SettingsValues<S extends Settings> = {
  readonly [K in keyof S]: ValueOf<S[K]> | (S[K] extends { readonly default: unknown } ? never : undefined);
};

type ValueOf<One extends Setting> = One['type']['_zod']['output'];

/** A default that follows from other values: see {@link derived}. */
export type Derived<T = unknown> = {
  readonly derivedFrom: readonly string[];
  readonly value: (values: Readonly<Record<string, unknown>>) => T;
};

type Checked<S extends Settings> = {
  readonly [K in keyof S]: { readonly default?: ValueOf<S[K]> | Derived<ValueOf<S[K]>> };
};

/** Declares keys: returns them as they are, with their types kept and each default checked against its `type`. */
export function defineSettings<const S extends Settings>(settings: S & Checked<S>): S {
  return settings;
}

/**
 * A default made from the values of other keys. These must have no derived default themselves.
 *
 * @param from the declarations of those keys
 */
export function derived<S extends Settings, T>(from: S, value: (values: SettingsValues<S>) => T): Derived<T> {
  return { derivedFrom: Object.keys(from), value: (values) => value(values as SettingsValues<S>) };
}

/** Whether a declared default is a derived one. */
export function isDerived(value: unknown): value is Derived {
  return typeof value === 'object' && value !== null && 'derivedFrom' in value;
}
