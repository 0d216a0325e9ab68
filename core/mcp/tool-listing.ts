import type { Tool as ListedTool } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { allTools } from '../tools/index.ts';
import type { Tool } from '../tools/tool.ts';

const listed = allTools.map((tool) => ({ name: tool.name as string, listing: listingOf(tool) }));

/** What `tools/list` shows a Worker that holds these: exactly the tools granted. */
export function listingOfTools(granted: readonly string[]): ListedTool[] {
  return listed.filter(({ name }) => granted.includes(name)).map(({ listing }) => listing);
}

function listingOf(tool: Tool): ListedTool {
  const { name, description, readOnly, idempotent } = tool;
  return {
    name,
    description,
    inputSchema: inputSchemaOf(tool),
    annotations: {
      readOnlyHint: readOnly,
      idempotentHint: idempotent,
      // Only these take away what cannot be had back.
      ...(readOnly ? {} : { destructiveHint: name === 'dismiss_worker' }),
      openWorldHint: false,
    },
  };
}

/**
 * The schema of what may be sent, tolerant forms included. Draft 7 without naming it: strict clients' validators know that one and
 * choke on the address of another.
 */
function inputSchemaOf(tool: Tool): ListedTool['inputSchema'] {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, { io: 'input', target: 'draft-7' });
  return { ...schema, type: 'object' } as ListedTool['inputSchema'];
}
