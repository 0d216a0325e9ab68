import { findTool } from './index.ts';
import { requirePermission, UnknownToolError } from './permission.ts';
import { readInput } from './read-input.ts';
import type { ToolContext } from './tool.ts';

/**
 * Calls a tool for a Worker: the one way to any of them.
 *
 * @throws UnknownToolError when there is no such tool or it isn't granted, another SwitchboardError for what the caller can mend.
 */
export async function callTool(context: ToolContext, name: string, input: unknown): Promise<Record<string, unknown>> {
  const tool = findTool(name);
  if (!tool) throw new UnknownToolError(name);
  await requirePermission(context, tool);
  return await tool.run(context, readInput(tool, input));
}
