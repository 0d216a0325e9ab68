import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { ListToolsResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { ToolOutput, ToolPicture } from './tool-output.ts';

/** What a tool said, as the model is told it. */
export interface ToolResult {
  output: ToolOutput;
  isError: boolean;
}

/** A longer result is cut, in characters: a model's context is shared by everything in it. */
export const resultAtMost = 20_000;

/** What our own server in this process lists: no border, so that its forty schemas are not checked at each Activation. */
const listedTools = z.custom<ListToolsResult>();

/** All tools of a Worker, page by page; none when its server offers no tools at all. */
export async function listTools(client: Client, signal: AbortSignal): Promise<Tool[]> {
  if (!client.getServerCapabilities()?.tools) return [];
  const tools: Tool[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.request({ method: 'tools/list', params: { cursor } }, listedTools, { signal });
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return tools;
}

/**
 * Calls a tool. What goes wrong in it is a result for the model, so that it can mend its arguments; only an abort is thrown.
 * `timeoutMs` replaces the SDK's minute: `read_events` may wait as long by itself.
 */
export async function callTool(
  client: Client,
  name: string,
  input: unknown,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<ToolResult> {
  const parsed = asArguments(input);
  if (!parsed) return { output: 'the arguments of a tool are a JSON object', isError: true };
  try {
    const result = await client.callTool({ name, arguments: parsed }, undefined, { signal, timeout: timeoutMs });
    const text = cut(textOf(result));
    const pictures = picturesOf(result);
    return { output: pictures.length > 0 ? { text, pictures } : text, isError: result.isError === true };
  } catch (error) {
    signal.throwIfAborted();
    return { output: cut(error instanceof Error ? error.message : String(error)), isError: true };
  }
}

function asArguments(input: unknown): Record<string, unknown> | undefined {
  if (input === undefined || input === null) return {};
  return typeof input === 'object' && !Array.isArray(input) ? { ...input } : undefined;
}

function textOf(result: Awaited<ReturnType<Client['callTool']>>): string {
  const content = Array.isArray(result.content) ? result.content : [];
  if (content.length === 0 && result.structuredContent) return JSON.stringify(result.structuredContent);
  return content
    .filter((part) => !isPicture(part))
    .map(partText)
    .join('\n');
}

function picturesOf({ content }: Awaited<ReturnType<Client['callTool']>>): ToolPicture[] {
  const parts = Array.isArray(content) ? content : [];
  return parts.filter(isPicture).map(({ data, mimeType }) => ({ data: String(data), mediaType: String(mimeType) }));
}

function isPicture({ type }: { type: string; [field: string]: unknown }): boolean {
  return type === 'image';
}

function partText(part: { type: string; [field: string]: unknown }): string {
  if (part.type === 'text') return String(part.text);
  if (part.type === 'resource_link') return String(part.uri);
  const resource = part.resource as { text?: unknown; uri?: unknown } | undefined;
  if (part.type === 'resource') return String(resource?.text ?? resource?.uri ?? '');
  return `(${part.type}, not shown)`;
}

function cut(text: string): string {
  if (text.length <= resultAtMost) return text;
  return `${text.slice(0, resultAtMost)}\n(cut: these are the first ${resultAtMost} of ${text.length} characters; ask for less at a time)`;
}
