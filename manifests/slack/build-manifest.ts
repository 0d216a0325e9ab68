import { eventsPath } from '../../bots/slack/events-endpoint.ts';
import { ConfigurationError } from '../../core/errors.ts';

/** What the manifest is made from: a setting of the same name, and how the app is to be called. */
export interface SlackManifestConfig {
  PUBLIC_URL: string;
  /** Default `Switchboard`; at most 35 characters. */
  name?: string | undefined;
}

/** What the app may do, and what for. A scope that nothing uses is a question that an administrator has to ask. */
export const botScopes = {
  'app_mentions:read': 'hear a mention',
  'channels:history': 'hear follow-ups in threads of public channels, and look for what it has sent itself',
  'channels:read': 'know what a public channel is called',
  'chat:write': 'answer',
  'files:read': 'know of the files in a message, and when one that it has sent can be shown',
  'files:write': 'show the picture of a desktop, and send files such as a clip of one',
  'groups:history': 'the same in private channels that it was invited to',
  'groups:read': 'know what a private channel is called',
  'im:history': 'hear direct messages',
  'im:read': 'know a direct message for what it is',
  'mpim:history': 'hear group DMs that it is in',
  'mpim:read': 'know who is in a group DM',
  'users:read': 'know what people are called',
} as const;

/** The events that Slack sends: a mention, and messages where the app is a member. */
export const botEvents = ['app_mention', 'message.channels', 'message.groups', 'message.im', 'message.mpim'] as const;

const longestName = 35;

/**
 * The manifest of the Slack app (docs.slack.dev/reference/app-manifest).
 *
 * @throws ConfigurationError that names the setting, when Slack would not take it
 */
export function buildSlackManifest(config: SlackManifestConfig) {
  const { PUBLIC_URL, name = 'Switchboard' } = config;
  if (URL.parse(PUBLIC_URL)?.protocol !== 'https:')
    throw new ConfigurationError(
      'PUBLIC_URL must begin with https:// for Slack: set it to where this server is reached',
    );
  if (name.trim() === '' || name.length > longestName)
    throw new ConfigurationError(`the name of a Slack app has 1 to ${longestName} characters`);
  const requestUrl = `${PUBLIC_URL.replace(/\/+$/, '')}${eventsPath}`;
  return {
    display_information: {
      name,
      description: 'Mention an AI agent and get its answer in the thread.',
      background_color: '#4b3fbf',
    },
    features: {
      app_home: { home_tab_enabled: false, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      bot_user: { display_name: name, always_online: true },
    },
    oauth_config: { scopes: { bot: Object.keys(botScopes) } },
    settings: {
      event_subscriptions: {
        request_url: requestUrl,
        bot_events: [...botEvents],
      },
      // Clicks at "Take over" below the picture of a desktop.
      interactivity: { is_enabled: true, request_url: requestUrl },
      org_deploy_enabled: false,
      socket_mode_enabled: false,
      token_rotation_enabled: false,
    },
  };
}

/** A link that opens Slack's "create an app" with this manifest filled in. */
export function createAppLink(manifest: object): string {
  return `https://api.slack.com/apps?new_app=1&manifest_json=${encodeURIComponent(JSON.stringify(manifest))}`;
}
