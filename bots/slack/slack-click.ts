import { z } from 'zod';

/**
 * The payload of a click (docs.slack.dev/reference/interaction-payloads/block_actions-payload), as far as it is read. It holds the
 * whole message, links to Desktops included: it goes into no log.
 */
export const slackClick = z.object({
  type: z.literal('block_actions'),
  team: z.object({ id: z.string() }).nullish(),
  user: z.object({ id: z.string(), team_id: z.string().nullish() }),
  channel: z.object({ id: z.string(), name: z.string().nullish() }).nullish(),
  /** Of something that one person alone was shown there is none. */
  message: z.object({ ts: z.string(), thread_ts: z.string().nullish(), user: z.string().nullish() }).nullish(),
  actions: z.array(z.object({ action_id: z.string(), action_ts: z.string() })).min(1),
});
export type SlackClick = z.output<typeof slackClick>;
