import { z } from 'zod';
import { InvalidInputError } from '../errors.ts';
import type { DesktopId } from '../store/ids.ts';

/**
 * The pieces that tools' arguments are made of. Models get arguments slightly wrong in the same few ways: an object collapsed to its
 * discriminator, a number as a string, an array as a JSON string or as its only item, null for what is left out. What is
 * unambiguous is accepted, and declared in the JSON Schema, so that strict clients let it through. What a schema refuses says what
 * is valid.
 */

/** An object of exactly these keys; an unknown one is refused by naming the valid ones. */
export function exactly<Shape extends z.ZodRawShape>(shape: Shape) {
  const valid = quoted(Object.keys(shape));
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown argument ${quoted(issue.keys)} (valid: ${valid || 'none'})`
        : undefined,
  });
}

/** One of a few words: `unknown worker kind "foo" (valid: "human", "ai")`. */
export function oneOf<const Values extends readonly [string, ...string[]]>(what: string, values: Values) {
  return z.enum(values, {
    error: (issue) =>
      issue.input === undefined
        ? `missing ${what} (valid: ${quoted(values)})`
        : `unknown ${what} ${JSON.stringify(issue.input)} (valid: ${quoted(values)})`,
  });
}

/** May be left out; null means the same. */
export function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value): z.output<Schema> | undefined => value ?? undefined);
}

/** Text that is not blank, at most so many characters. */
export function text(longest: number) {
  return z
    .string()
    .max(longest)
    .refine((value) => value.trim() !== '', 'must not be empty');
}

/** A whole number, also as a string of digits. */
export function count(range: { min: number; max: number }) {
  const number = z.int().min(range.min).max(range.max);
  return z.union([
    number,
    z
      .string()
      .regex(/^\s*\d{1,9}\s*$/, `must be a whole number from ${range.min} to ${range.max}`)
      .transform(Number)
      .pipe(number),
  ]);
}

/** An array; also as its only item, or as a JSON string. */
export function listOf<Item extends z.ZodType>(item: Item, options: { max: number; min?: number }) {
  const list = z
    .array(item)
    .min(options.min ?? 0)
    .max(options.max);
  return z.union([list, item.transform((only) => [only]), jsonString('[', list)]);
}

/** An object; also collapsed to the one word that says most of it, or as a JSON string. */
export function objectOr<Full extends z.ZodType, Word extends z.ZodType>(
  full: Full,
  word: Word,
  expand: (word: z.output<Word>) => z.input<Full>,
) {
  return z.union([
    full,
    jsonString('{', full),
    word.transform((value): unknown => expand(value)).pipe(unknownInto(full)),
  ]);
}

/** JSON in a string, of an array or object. */
function jsonString<Schema extends z.ZodType>(opening: '[' | '{', schema: Schema) {
  return z
    .string()
    .regex(opening === '[' ? /^\s*\[/ : /^\s*\{/)
    .transform((value, context): unknown => {
      try {
        return JSON.parse(value);
      } catch {
        context.addIssue({ code: 'custom', message: 'is neither a value nor valid JSON' });
        return z.NEVER;
      }
    })
    .pipe(unknownInto(schema));
}

/** The same schema: at run time it takes anything and refuses what it must. */
function unknownInto<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema>, unknown> {
  return schema as unknown as z.ZodType<z.output<Schema>, unknown>;
}

/** An id with its prefix, or without it. Lower-case letters, digits and dashes. */
export function idOf<P extends 'r' | 'p' | 's' | 't'>(prefix: P, what: string) {
  return z
    .string()
    .trim()
    .regex(
      /^[a-z0-9][a-z0-9-]*$/,
      `must be the id of a ${what}, such as "${prefix}-…": lower-case letters, digits and dashes`,
    )
    .max(150)
    .transform((id) => (id.startsWith(`${prefix}-`) ? id : `${prefix}-${id}`) as `${P}-${string}`);
}

/** A Desktop's id; `d-` may be left out. */
export function desktopId() {
  return z
    .string()
    .trim()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'must be the id of a desktop, such as "d-…": it stands in its link')
    .max(150)
    .transform((id) => (id.startsWith('d-') ? id : `d-${id}`) as DesktopId);
}

/** A Worker, by id or name; looked up in the database (findWorker). */
export function workerReference() {
  return z.string().trim().min(1).max(200);
}

/**
 * The id that a get tool was asked for: `id`, or the same under the name of the thing (`role`), which is what other tools call it.
 *
 * @throws InvalidInputError when neither is said, or both and they differ.
 */
export function theId<Id extends string>(id: Id | undefined, named: Id | undefined): Id {
  if (id !== undefined && named !== undefined && id !== named)
    throw new InvalidInputError(`two different ids were said, "${id}" and "${named}": say one`);
  const said = id ?? named;
  if (said === undefined) throw new InvalidInputError('id: is missing');
  return said;
}

/** `"a", "b"` for a sentence. */
export function quoted(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}
