import { z } from 'zod';

/** Ids are opaque; a limit keeps what is stored within reason. */
const id = z.string().min(1).max(1000);

const account = z.object({
  id: z.string().max(1000),
  name: z.string().nullish(),
  aadObjectId: z.string().max(100).nullish(),
  role: z.string().nullish(),
});

const attachment = z.object({
  contentType: z.string().nullish(),
  contentUrl: z.string().nullish(),
  content: z.unknown().optional(),
  name: z.string().nullish(),
});

/** Of the many kinds of entities only mentions are read. */
const entity = z.object({
  type: z.string().nullish(),
  text: z.string().nullish(),
  mentioned: z.object({ id: z.string().nullish(), name: z.string().nullish() }).nullish(),
});

/**
 * An activity as Teams sends it (Bot Framework Activity schema 1.0, and the `channelData` of Teams), as far as it is read here.
 * What is malformed in a part that is not needed for storing a message is taken as absent.
 */
export const activity = z.object({
  type: z.string().min(1).max(100),
  id: id.optional(),
  channelId: z.string().optional(),
  serviceUrl: z.string().min(1).max(2000),
  from: account.nullish().catch(null),
  recipient: account,
  conversation: z.object({
    id,
    conversationType: z.string().nullish(),
    isGroup: z.boolean().nullish().catch(null),
    tenantId: z.string().nullish(),
    name: z.string().nullish(),
  }),
  text: z.string().nullish(),
  name: z.string().nullish(),
  /** Of a click on a card: what the button holds. */
  value: z.unknown().optional(),
  replyToId: z.string().nullish(),
  entities: z.array(entity.nullish().catch(null)).nullish().catch(null),
  attachments: z.array(attachment.nullish().catch(null)).nullish().catch(null),
  membersAdded: z.array(account).nullish().catch(null),
  channelData: z
    .object({
      tenant: z.object({ id: z.string().nullish() }).nullish().catch(null),
      team: z.object({ id: z.string().nullish(), name: z.string().nullish() }).nullish().catch(null),
      channel: z
        .object({ id: z.string().nullish(), name: z.string().nullish(), type: z.string().nullish() })
        .nullish()
        .catch(null),
      teamsChannelId: z.string().nullish().catch(null),
      eventType: z.string().nullish().catch(null),
    })
    .nullish()
    .catch(null),
});

/** An activity that has been read. */
export type Activity = z.output<typeof activity>;

/** The Entra tenant that it comes from, in lower case. */
export function tenantOf({ conversation, channelData }: Activity): string | undefined {
  return (conversation.tenantId || channelData?.tenant?.id || undefined)?.toLowerCase();
}
