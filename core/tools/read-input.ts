import type { z } from 'zod';
import { InvalidInputError } from '../errors.ts';
import type { Tool } from './tool.ts';

type Issue = z.core.$ZodIssue;

/**
 * A call's arguments as the tool wants them.
 *
 * @throws InvalidInputError with every mistake in one sentence each, naming what is valid.
 */
export function readInput<Input extends z.ZodObject>(
  tool: Pick<Tool<Input>, 'input'>,
  input: unknown,
): z.output<Input> {
  const parsed = tool.input.safeParse(input ?? {}, { reportInput: true });
  if (parsed.success) return parsed.data;
  const sentences = parsed.error.issues.map((issue) => describeIssue(issue));
  throw new InvalidInputError([...new Set(sentences)].join('; '));
}

/** One mistake, with its place in front: `grants[1]: unknown tool "foo" (valid: …)`. */
function describeIssue(issue: Issue): string {
  const { issue: found, path } = deepest(issue, []);
  const place = path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
  return `${place && `${place}: `}${messageOf(found)}`;
}

function messageOf(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'is missing';
  return issue.message;
}

/**
 * Of the alternatives of a union, the one that was meant: where the mistake lies deepest, else the one that has something better
 * to say than that the type is another.
 */
function deepest(issue: Issue, above: PropertyKey[]): { issue: Issue; path: PropertyKey[]; score: number } {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union') return { issue, path, score: path.length * 10 + weightOf(issue) };
  let best: { issue: Issue; path: PropertyKey[]; score: number } | undefined;
  for (const alternative of issue.errors) {
    const [first] = alternative;
    if (!first) continue;
    const found = deepest(first, path);
    if (!best || found.score > best.score) best = found;
  }
  return best ?? { issue, path, score: 0 };
}

function weightOf(issue: Issue): number {
  switch (issue.code) {
    case 'invalid_type':
      return 0;
    case 'invalid_format':
      return 1;
    case 'invalid_value':
      // An object that is no word was not meant as one.
      return typeof issue.input === 'string' ? 3 : 0;
    default:
      return 4;
  }
}
