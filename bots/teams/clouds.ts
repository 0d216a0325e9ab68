/** One of Microsoft's clouds: whose tokens are believed there, where Teams lives, and how a bot signs in. */
export interface Cloud {
  /** Issuer of the tokens that the Bot Connector sends. */
  issuer: string;
  /** Where its signing keys are announced (OpenID Connect Discovery). */
  metadataUrl: string;
  /** The hosts of Teams' connector: an activity's `serviceUrl` must be on one of them. */
  serviceHosts: readonly string[];
  /** How the SDK names the cloud; undefined: the public one. */
  sdk?: Readonly<Record<string, string>>;
}

/**
 * The public cloud. Sources: "Authentication with the Bot Connector API" (issuer, metadata) and the Teams SDK's page "Service URL
 * Validation" (hosts; GCC is served from the public cloud).
 */
export const publicCloud: Cloud = {
  issuer: 'https://api.botframework.com',
  metadataUrl: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
  serviceHosts: [
    'smba.trafficmanager.net',
    'smba.onyx.prod.teams.trafficmanager.net',
    'smba.infra.gcc.teams.microsoft.com',
  ],
};

/** GCC High and DoD. Sources: GovernmentConstants of botframework-connector, and the page named above. */
const usGovernment: Cloud = {
  issuer: 'https://api.botframework.us',
  metadataUrl: 'https://login.botframework.azure.us/v1/.well-known/openidconfiguration',
  serviceHosts: ['smba.infra.gov.teams.microsoft.us', 'smba.infra.dod.teams.microsoft.us'],
  sdk: { ChannelService: 'https://botframework.azure.us' },
};

/** 21Vianet. Source: Microsoft's "Configure a bot in Microsoft Azure operated by 21Vianet". */
const china: Cloud = {
  issuer: 'https://api.botframework.azure.cn',
  metadataUrl: 'https://login.botframework.azure.cn/v1/.well-known/openidconfiguration',
  serviceHosts: ['frontend.botapi.msg.infra.teams.microsoftonline.cn'],
  sdk: {
    OAuthUrl: 'https://token.botframework.azure.cn/',
    ToChannelFromBotLoginUrl: 'https://login.partner.microsoftonline.cn/microsoftservices.partner.onmschina.cn',
    ToChannelFromBotOAuthScope: 'https://api.botframework.azure.cn',
    ToBotFromChannelTokenIssuer: 'https://api.botframework.azure.cn',
    ToBotFromChannelOpenIdMetadataUrl: 'https://login.botframework.azure.cn/v1/.well-known/openidconfiguration',
    ToBotFromEmulatorOpenIdMetadataUrl:
      'https://login.partner.microsoftonline.cn/a55a4d5b-9241-49b1-b4ff-befa8db00269/v2.0/.well-known/openid-configuration',
  },
};

/**
 * The cloud that a metadata URL belongs to. An address of nobody's (a test's own issuer) stands in for the public cloud: the same
 * claims are asked for, only the keys come from there.
 *
 * @param tenant the app's own, where 21Vianet signs in single-tenant bots
 */
export function cloudOf(metadataUrl: string | undefined, tenant?: string): Cloud {
  if (metadataUrl === undefined) return publicCloud;
  const host = new URL(metadataUrl).host;
  const known = [publicCloud, usGovernment, china].find((cloud) => new URL(cloud.metadataUrl).host === host);
  if (known === china && tenant !== undefined)
    return {
      ...china,
      metadataUrl,
      sdk: { ...china.sdk, ToChannelFromBotLoginUrl: `https://login.partner.microsoftonline.cn/${tenant}` },
    };
  return { ...(known ?? publicCloud), metadataUrl };
}
