/** JSON for a parameter of PostgreSQL, whose text holds no NUL: they are taken out of every string. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? part.replaceAll('\u0000', '') : part,
  );
}
