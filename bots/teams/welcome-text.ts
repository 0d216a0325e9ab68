import type { TeamsPlace } from './conversation.ts';

/** Said in a channel while Teams passes on nothing but mentions (the RSC permission ChannelMessage.Read.Group is missing). */
export const mentionsOnly =
  'In channels I see only the messages that mention me: mention me in every message, in a thread too.';

/** What the bot says once where it was added. */
export function welcomeText(kind: TeamsPlace['kind']): string {
  if (kind === 'personal')
    return 'Hello! Write what you want done, and the agent answers here. `help` says what else there is.';
  const hello =
    'Hello! Mention me with what you want done, and the agent answers here. `help` after the mention says what else there is.';
  return kind === 'channel' ? `${hello}\n\n${mentionsOnly}` : hello;
}
