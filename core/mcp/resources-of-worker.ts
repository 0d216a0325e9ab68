import type { ListResourcesResult, ReadResourceResult } from '@modelcontextprotocol/sdk/types.js';
import { NotFoundError } from '../errors.ts';
import type { ToolContext } from '../tools/tool.ts';

interface Texts {
  role: string | null;
  identity: string;
}

/** The Worker's own texts, as files: its Role (if it sits in a Position) and its identity. */
export async function listResources(context: ToolContext): Promise<ListResourcesResult> {
  const { role } = await textsOf(context);
  const identity = resource(context, 'identity.md', 'who this worker is');
  return { resources: role === null ? [identity] : [resource(context, 'role.md', 'what its role says'), identity] };
}

/** @throws NotFoundError when it isn't one of this Worker's. */
export async function readResource(context: ToolContext, uri: string): Promise<ReadResourceResult> {
  const { role, identity } = await textsOf(context);
  const text = uri === uriOf(context, 'role.md') ? role : uri === uriOf(context, 'identity.md') ? identity : null;
  if (text === null) throw new NotFoundError(`unknown resource "${uri}": resources/list says which there are`);
  return { contents: [{ uri, mimeType: 'text/markdown', text }] };
}

function resource(context: ToolContext, name: 'role.md' | 'identity.md', description: string) {
  return { uri: uriOf(context, name), name, description, mimeType: 'text/markdown' };
}

function uriOf({ worker }: ToolContext, name: 'role.md' | 'identity.md'): string {
  return `switchboard://workers/${worker}/${name}`;
}

/** Read afresh each time: a live edit counts at once. */
async function textsOf({ core, organisation, worker }: ToolContext): Promise<Texts> {
  const [texts] = await core.database.query<Texts>(
    `select r.content as role, w.identity from worker w
       left join "position" p on p.organisation = w.organisation and p.id = w.position
       left join role r on r.organisation = p.organisation and r.id = p.role
     where w.organisation = $1 and w.id = $2 and w.dismissed_at is null`,
    [organisation, worker],
  );
  return texts ?? { role: null, identity: '' };
}
