import { z } from 'zod';
import { describeIssues } from './describe-issues.ts';

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;

/**
 * A JSON Schema node: the keywords that say something about shape must be well formed, unknown keywords are let through
 * as the specification wants (JSON Schema 2020-12, core §4.3.1 and validation §6).
 */
const JsonSchemaNode: z.ZodType<unknown> = z.lazy(() =>
  z.preprocess(
    (node) => (typeof node === 'boolean' ? {} : node),
    z.looseObject({
      type: z.union([z.enum(TYPES), z.array(z.enum(TYPES)).min(1)]).optional(),
      properties: z.record(z.string(), JsonSchemaNode).optional(),
      patternProperties: z.record(z.string(), JsonSchemaNode).optional(),
      additionalProperties: JsonSchemaNode.optional(),
      propertyNames: JsonSchemaNode.optional(),
      required: z.array(z.string()).refine(isUnique, 'required names each property once').optional(),
      items: JsonSchemaNode.optional(),
      prefixItems: z.array(JsonSchemaNode).min(1).optional(),
      anyOf: z.array(JsonSchemaNode).min(1).optional(),
      oneOf: z.array(JsonSchemaNode).min(1).optional(),
      allOf: z.array(JsonSchemaNode).min(1).optional(),
      not: JsonSchemaNode.optional(),
      enum: z.array(z.unknown()).min(1).optional(),
      description: z.string().optional(),
      title: z.string().optional(),
      pattern: z.string().refine(isPattern, 'pattern is a regular expression').optional(),
      format: z.string().optional(),
      minLength: z.int().min(0).optional(),
      maxLength: z.int().min(0).optional(),
      minItems: z.int().min(0).optional(),
      maxItems: z.int().min(0).optional(),
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      exclusiveMinimum: z.number().optional(),
      exclusiveMaximum: z.number().optional(),
      $ref: z.string().optional(),
      $defs: z.record(z.string(), JsonSchemaNode).optional(),
    }),
  ),
);

/** What OpenAI refuses at the top of a function's parameters ("… at the top level"). */
const NOT_AT_THE_TOP = ['oneOf', 'anyOf', 'allOf', 'enum', 'not'] as const;

/**
 * Says what is wrong with a tool's `parameters`, or nothing when a client of OpenAI's API may send them: a valid JSON
 * Schema of type object, no union at the top level, and every array says what its items are.
 */
export function findToolSchemaProblem(parameters: unknown): string | undefined {
  const parsed = JsonSchemaNode.safeParse(parameters);
  if (!parsed.success) return describeIssues(parsed.error);
  if (!isRecord(parameters) || parameters.type !== 'object') return `schema must be a JSON Schema of 'type: "object"'`;
  const union = NOT_AT_THE_TOP.find((keyword) => keyword in parameters);
  if (union) return `schema must have type 'object' and not have '${union}' at the top level`;
  return findArrayWithoutItems(parameters, []);
}

function findArrayWithoutItems(node: unknown, path: string[]): string | undefined {
  if (Array.isArray(node)) {
    for (const [index, child] of node.entries()) {
      const problem = findArrayWithoutItems(child, [...path, String(index)]);
      if (problem) return problem;
    }
    return undefined;
  }
  if (!isRecord(node)) return undefined;
  if (node.type === 'array' && !('items' in node) && !('prefixItems' in node)) {
    return `In context=(${path.map((step) => `'${step}'`).join(', ')}), array schema missing items`;
  }
  for (const [key, child] of Object.entries(node)) {
    if (key === 'enum' || key === 'const' || key === 'default' || key === 'examples') continue;
    const problem = findArrayWithoutItems(child, [...path, key]);
    if (problem) return problem;
  }
  return undefined;
}

function isUnique(names: string[]): boolean {
  return new Set(names).size === names.length;
}

function isPattern(source: string): boolean {
  try {
    new RegExp(source, 'u');
    return true;
  } catch {
    return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
