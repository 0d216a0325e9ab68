import type { Core } from '../../core/core.ts';
import type { Bot, BotContext, RunningBot } from '../../core/delivery/bot.ts';
import { ConfigurationError } from '../../core/errors.ts';
import { addInstallation, findInstallation } from '../../core/organisation/installations.ts';
import { defaultOrganisation } from '../../core/organisation/seed.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import type { Activity } from './activity.ts';
import { configOf } from './binding-config.ts';
import { type BotCredentials, type BotFramework, openBotFramework } from './bot-framework.ts';
import { cloudOf } from './clouds.ts';
import { messagesRoute, type RoutePolicy } from './messages-route.ts';
import type { Outcome } from './receive-activity.ts';
import { localServiceUrls, type ServiceUrlPolicy, teamsServiceUrls } from './service-url.ts';
import { openSigningKeys } from './signing-keys.ts';
import { TeamsDoor } from './teams-door.ts';
import { isThisMachine, type TeamsSettings, teamsSettings } from './teams-settings.ts';

/** Microsoft Teams: activities of the Bot Connector at `/api/messages`, answers through the Connector. */
export const teams: Bot<typeof teamsSettings> = {
  kind: 'teams',
  settings: teamsSettings,
  door: (settings) => (isConfigured(settings) ? new TeamsDoor() : undefined),
  start,
};

function isConfigured({ MicrosoftAppId, TEAMS_ANONYMOUS }: TeamsSettings): boolean {
  return MicrosoftAppId !== undefined || TEAMS_ANONYMOUS;
}

/** @throws ConfigurationError when the anonymous mode is wanted where others could reach it */
async function start(
  core: Core,
  settings: TeamsSettings,
  context: Pick<BotContext, 'mount' | 'publicUrl'>,
): Promise<RunningBot | undefined> {
  if (!isConfigured(settings)) return undefined;
  if (settings.TEAMS_ANONYMOUS && !isThisMachine(settings.HOST))
    throw new ConfigurationError(
      'TEAMS_ANONYMOUS lets everybody in who reaches this server: set HOST to 127.0.0.1, or TEAMS_ANONYMOUS to false',
    );
  const warnings: string[] = [];
  const cloud = cloudOf(settings.TEAMS_OPENID_METADATA_URL, settings.MicrosoftAppTenantId);
  const credentials = credentialsOf(settings);
  const mayCall = serviceUrlsOf(settings);
  const bot = await openBotFramework({ credentials, cloud, mayCall });
  const door = core.doors.get('teams');
  if (door instanceof TeamsDoor) door.open({ core, bot });

  const route = messagesRoute(core, {
    ...(await letIn(core, settings, cloud.issuer, warnings)),
    mayCall,
    taken: (activity, outcome) => showTyping(core, bot, activity, outcome),
  });
  context.mount('/api/messages', route.routes);
  if (!credentials && !settings.TEAMS_ANONYMOUS)
    warnings.push('MicrosoftAppPassword is not set: the bot cannot sign in to Teams, so it hears and cannot answer.');
  return {
    describe: [`Teams      ${context.publicUrl}/api/messages${settings.TEAMS_ANONYMOUS ? '   (anonymous)' : ''}`],
    warnings,
    stop: async () => await route.stop(),
  };
}

/** Undefined: nothing is signed, and then only this machine may be called. */
function credentialsOf(settings: TeamsSettings): BotCredentials | undefined {
  const { MicrosoftAppId, MicrosoftAppPassword, MicrosoftAppTenantId, MicrosoftAppType, TEAMS_ANONYMOUS } = settings;
  if (TEAMS_ANONYMOUS || MicrosoftAppId === undefined) return undefined;
  if (MicrosoftAppType === 'UserAssignedMSI') {
    if (MicrosoftAppTenantId === undefined)
      throw new ConfigurationError('MicrosoftAppType UserAssignedMSI needs MicrosoftAppTenantId: set it');
    return { appId: MicrosoftAppId, password: undefined, tenant: MicrosoftAppTenantId, type: MicrosoftAppType };
  }
  if (MicrosoftAppPassword === undefined) return undefined;
  if (MicrosoftAppType === 'SingleTenant' && MicrosoftAppTenantId === undefined)
    throw new ConfigurationError('MicrosoftAppType SingleTenant needs MicrosoftAppTenantId: set it');
  return {
    appId: MicrosoftAppId,
    password: MicrosoftAppPassword,
    tenant: MicrosoftAppTenantId,
    type: MicrosoftAppType,
  };
}

/** Beside Teams' own hosts, this machine where the tokens are made on it too. */
function serviceUrlsOf(settings: TeamsSettings): ServiceUrlPolicy {
  const { TEAMS_ANONYMOUS, TEAMS_OPENID_METADATA_URL } = settings;
  if (TEAMS_ANONYMOUS) return localServiceUrls;
  const ofTeams = teamsServiceUrls(cloudOf(TEAMS_OPENID_METADATA_URL));
  const issuerIsLocal = TEAMS_OPENID_METADATA_URL && isThisMachine(new URL(TEAMS_OPENID_METADATA_URL).hostname);
  return issuerIsLocal ? (url) => ofTeams(url) || localServiceUrls(url) : ofTeams;
}

type LetIn = Pick<RoutePolicy, 'token' | 'platform' | 'organisationOf'>;

async function letIn(core: Core, settings: TeamsSettings, issuer: string, warnings: string[]): Promise<LetIn> {
  const { MicrosoftAppId, TEAMS_ANONYMOUS, TEAMS_OPENID_METADATA_URL } = settings;
  if (TEAMS_ANONYMOUS || MicrosoftAppId === undefined) {
    warnings.push('TEAMS_ANONYMOUS: whoever reaches this port on this machine may speak as anybody in Teams.');
    return { token: undefined, platform: 'teams-anonymous', organisationOf: () => defaultOrganisation };
  }
  const organisations = await organisationsOf(core, settings);
  if (organisations.size === 0)
    warnings.push('Nobody may talk to the Teams bot yet: set MicrosoftAppTenantId, or TEAMS_ALLOWED_TENANTS.');
  const keys = openSigningKeys(cloudOf(TEAMS_OPENID_METADATA_URL).metadataUrl, core.log);
  return {
    token: { keys, issuer, audience: MicrosoftAppId },
    platform: 'teams',
    organisationOf: (tenant) => (tenant === undefined ? undefined : organisations.get(tenant)),
  };
}

/** The app's own tenant and the allowed ones are the default Organisation's, unless somebody gave one to another. */
async function organisationsOf(core: Core, settings: TeamsSettings): Promise<ReadonlyMap<string, OrganisationId>> {
  const { MicrosoftAppTenantId, TEAMS_ALLOWED_TENANTS } = settings;
  const tenants = [...(MicrosoftAppTenantId === undefined ? [] : [MicrosoftAppTenantId]), ...TEAMS_ALLOWED_TENANTS];
  const organisations = new Map<string, OrganisationId>();
  for (const externalId of tenants) {
    const installation = { kind: 'teams', externalId };
    const known = await findInstallation(core.database, installation);
    if (!known) await addInstallation(core.database, defaultOrganisation, installation);
    organisations.set(externalId, known ?? defaultOrganisation);
  }
  return organisations;
}

/** Somebody is about to answer. Channels show no typing, and one that fails is no loss. */
function showTyping(core: Core, bot: BotFramework, activity: Activity, outcome: Outcome): void {
  if (outcome.kind !== 'stored' || outcome.place.kind === 'channel') return;
  const { woken, duplicate } = outcome.received.appended;
  if (woken.length === 0 || duplicate) return;
  const { serviceUrl, tenant, bot: from } = configOf(outcome.place, activity, true);
  bot
    .typing({ serviceUrl, tenant, bot: from, conversation: outcome.place.conversation })
    .catch((err: unknown) => core.log.debug({ err }, 'typing could not be shown'));
}
