import { z } from 'zod';
import type { Core } from '../../core/core.ts';
import type { BindingId, OrganisationId } from '../../core/store/ids.ts';
import type { Activity } from './activity.ts';
import type { TeamsPlace } from './conversation.ts';

/** What a Binding remembers of its place: all that is needed for saying something there without being asked. */
export const bindingConfig = z.object({
  kind: z.enum(['personal', 'group', 'channel']),
  serviceUrl: z.string(),
  tenant: z.string().optional(),
  bot: z.object({ id: z.string(), name: z.string().optional() }),
  /** Messages without a mention have come from here: the RSC permission ChannelMessage.Read.Group was given. */
  hearsAll: z.boolean().optional(),
});
export type BindingConfig = z.output<typeof bindingConfig>;

/** What an activity says of its place. A `serviceUrl` is kept only once it was checked. */
export function configOf(place: TeamsPlace, activity: Activity, mentioned: boolean): BindingConfig {
  const { recipient, serviceUrl } = activity;
  return {
    kind: place.kind,
    serviceUrl,
    ...(place.tenant ? { tenant: place.tenant } : {}),
    bot: { id: recipient.id, ...(recipient.name ? { name: recipient.name } : {}) },
    ...(place.kind === 'channel' && !mentioned ? { hearsAll: true } : {}),
  };
}

const remembered = new WeakMap<Core, Map<BindingId, string>>();
const atMost = 10_000;

/**
 * Stores the config of a Binding when it has changed. Teams may serve a conversation from another address one day, and the old one
 * goes on working ("Updates for Microsoft Teams bots in Multi-Geo environments"): what this process wrote last is not written again.
 */
export async function rememberConfig(
  core: Core,
  organisation: OrganisationId,
  binding: BindingId,
  config: BindingConfig,
): Promise<void> {
  let known = remembered.get(core);
  if (!known) {
    known = new Map();
    remembered.set(core, known);
  }
  const json = JSON.stringify(config);
  if (known.get(binding) === json) return;
  await core.database.query(
    `update binding set config = config || $3::jsonb where organisation = $1 and id = $2 and not config @> $3::jsonb`,
    [organisation, binding, json],
  );
  if (known.size >= atMost) known.clear();
  known.set(binding, json);
}
