import { ConfigurationError } from '../../core/errors.ts';

/** What the manifest is made from: settings of the same names, and how the app is to be called. */
export interface ManifestConfig {
  MicrosoftAppId: string | undefined;
  PUBLIC_URL: string;
  /** Default `Switchboard`; at most 30 characters. */
  name?: string | undefined;
  /** Three numbers; Teams takes an update only under a higher one. Default `1.0.0`. */
  version?: string | undefined;
  /**
   * True: no permission to read a channel's messages is asked for, and the bot sees only those that mention it, also in its own
   * threads. Default false.
   */
  mentionsOnly?: boolean | undefined;
}

type Scope = 'personal' | 'team' | 'groupChat';

/** The menu that Teams shows beside the box; the words are those that every door understands. */
const commands: Readonly<Record<Scope, readonly (readonly [string, string])[]>> = {
  personal: [
    ['help', 'What you can say here'],
    ['new', 'End this conversation and begin another'],
    ['stop', 'End what the agents do here'],
    ['who', 'Who works here'],
  ],
  groupChat: [
    ['help', 'What you can say here'],
    ['new', 'End this conversation and begin another'],
    ['stop', 'End what the agents do here'],
  ],
  team: [
    ['help', 'What you can say here'],
    ['stop', 'End what the agents do in this thread'],
    ['mute', 'Agents stay quiet in this thread until unmute'],
  ],
};

const guid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * The manifest of the Teams app (schema 1.19, https://developer.microsoft.com/json-schemas/teams/v1.19/MicrosoftTeams.schema.json).
 *
 * @throws ConfigurationError that names the setting, when Teams would not take it
 */
export function buildManifest(config: ManifestConfig): Record<string, unknown> {
  const { MicrosoftAppId, PUBLIC_URL, name = 'Switchboard', version = '1.0.0', mentionsOnly = false } = config;
  if (!MicrosoftAppId || !guid.test(MicrosoftAppId))
    throw new ConfigurationError('MicrosoftAppId must be the GUID of the Azure bot: set it');
  const url = URL.parse(PUBLIC_URL);
  if (url?.protocol !== 'https:')
    throw new ConfigurationError(
      'PUBLIC_URL must begin with https:// for Teams: set it to where this server is reached',
    );
  if (name.length > 30) throw new ConfigurationError('the name of a Teams app has at most 30 characters');
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new ConfigurationError('the version must be three numbers such as 1.0.0');
  const scopes: Scope[] = ['personal', 'team', 'groupChat'];
  return {
    $schema: 'https://developer.microsoft.com/json-schemas/teams/v1.19/MicrosoftTeams.schema.json',
    manifestVersion: '1.19',
    version,
    id: MicrosoftAppId,
    developer: { name, websiteUrl: PUBLIC_URL, privacyUrl: PUBLIC_URL, termsOfUseUrl: PUBLIC_URL },
    name: { short: name, full: `${name}: AI agents where you already talk` },
    description: {
      short: 'Mention an AI agent and get its answer in the thread.',
      full: describe(name, mentionsOnly),
    },
    icons: { color: 'color.png', outline: 'outline.png' },
    accentColor: '#4B3FBF',
    bots: [
      {
        botId: MicrosoftAppId,
        scopes,
        isNotificationOnly: false,
        supportsFiles: false,
        commandLists: scopes.map((scope) => ({
          scopes: [scope],
          commands: commands[scope].map(([title, description]) => ({ title, description })),
        })),
      },
    ],
    permissions: ['identity', 'messageTeamMembers'],
    validDomains: [url.hostname],
    defaultInstallScope: 'personal',
    ...(mentionsOnly ? {} : readChannels(MicrosoftAppId, PUBLIC_URL)),
  };
}

/** Resource-specific consent: the owner of a team gives it when the app is added. `resource` means nothing but must be there. */
function readChannels(appId: string, resource: string): Record<string, unknown> {
  return {
    webApplicationInfo: { id: appId, resource },
    authorization: {
      permissions: { resourceSpecific: [{ name: 'ChannelMessage.Read.Group', type: 'Application' }] },
    },
  };
}

/** Microsoft asks that an app that reads a channel says what it does with what it reads. */
function describe(name: string, mentionsOnly: boolean): string {
  const does = `${name} brings AI agents into Teams. Mention it in a channel or a group chat, or write to it directly; the agent works and answers in the same thread.`;
  if (mentionsOnly) return `${does} In channels it sees only the messages that mention it.`;
  return `${does} In channels it reads along, so that a thread in which an agent takes part needs no further mention. Messages of other threads are neither stored nor used, unless somebody of your organisation subscribes to the channel.`;
}
