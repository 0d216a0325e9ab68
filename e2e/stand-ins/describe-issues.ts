import type { z } from 'zod';

/** What zod found wrong, in one line: `tools.0.type: Invalid input …; messages: …`. */
export function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': ')).join('; ');
}
