/**
 * The name of every tool, as it stands in Grants. A leaf, because the tools that grant others need the list in their schemas while
 * index.ts needs those tools.
 */
export const toolNames = [
  'create_position',
  'create_role',
  'create_stream',
  'dismiss_worker',
  'dm',
  'get_grant',
  'get_position',
  'get_role',
  'get_stream',
  'get_worker',
  'grant',
  'hire_worker',
  'invite_workers',
  'list_dead',
  'list_grants',
  'list_positions',
  'list_roles',
  'list_streams',
  'list_workers',
  'publish',
  'read_events',
  'retry_dead',
  'revoke',
  'stream_members',
  'subscribe',
  'unsubscribe',
  'update_identity',
  'update_role',
  'worker_log',
] as const;

/** The name of a tool. */
export type ToolName = (typeof toolNames)[number];
