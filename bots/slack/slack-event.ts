import { z } from 'zod';

const file = z.object({
  name: z.string().nullish(),
  title: z.string().nullish(),
  mimetype: z.string().nullish(),
  size: z.number().nullish(),
  url_private: z.string().nullish(),
  permalink: z.string().nullish(),
});

/** A message as it stands in an event, whoever wrote it. Fields that we do not read are dropped. */
const message = z.object({
  subtype: z.string().optional(),
  user: z.string().nullish(),
  text: z.string().nullish(),
  ts: z.string(),
  thread_ts: z.string().optional(),
  bot_id: z.string().nullish(),
  bot_profile: z.unknown().optional(),
  /** The author's workspace, where it is another one (Slack Connect). */
  user_team: z.string().nullish(),
  files: z.array(file).optional(),
});
export type SlackMessage = z.output<typeof message>;

const event = z.discriminatedUnion('type', [
  message.extend({ type: z.literal('app_mention'), channel: z.string() }),
  message.extend({
    type: z.literal('message'),
    channel: z.string(),
    channel_type: z.string().optional(),
    /** Of `message_changed`: the message as it is now, and as it was. */
    message: message.optional().catch(undefined),
    previous_message: message.optional().catch(undefined),
    /** Of `message_deleted`. */
    deleted_ts: z.string().optional(),
  }),
]);

/** The envelope of the Events API (docs.slack.dev/apis/events-api), for the two events that we subscribe to. */
export const slackEnvelope = z.object({
  type: z.literal('event_callback'),
  /** The workspace where it happened. In a channel shared with another company it may be theirs. */
  team_id: z.string(),
  event_id: z.string(),
  is_ext_shared_channel: z.boolean().optional(),
  /** One of the installations that may see it. */
  authorizations: z
    .array(z.object({ team_id: z.string().nullish() }))
    .optional()
    .catch(undefined),
  event,
});
export type SlackEnvelope = z.output<typeof slackEnvelope>;
