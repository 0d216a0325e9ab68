import { z } from 'zod';
import { coreSettings } from '../../core/config/core-settings.ts';
import { defineSettings, derived, type SettingsValues } from '../../core/config/setting.ts';
import { commaList, flag, text } from '../../core/config/setting-types.ts';
import { isLoopback } from '../../core/http/address-policy.ts';

const entraId = z.string().regex(/^[0-9a-z][\w.-]*$/i, 'it must be an id such as 72f988bf-86f1-41af-91ab-2d7cd011db47');

/** Tenants are compared in lower case. */
const tenantId = entraId.toLowerCase();

const appTypes = ['MultiTenant', 'SingleTenant', 'UserAssignedMSI'] as const;

/** Azure itself writes UserAssignedMSI in two ways. */
const appType = z
  .string()
  .transform((value) => appTypes.find((known) => known.toLowerCase() === value.toLowerCase()))
  .pipe(z.enum(appTypes, { error: `it must be one of ${appTypes.join(', ')}` }));

const tenant = defineSettings({
  MicrosoftAppTenantId: {
    type: tenantId,
    description: 'The Entra tenant of the app. Its people may talk to the bot.',
  },
});

/** The keys of the Teams door (design §8). `HOST` is the core's own: the anonymous mode depends on it. */
export const teamsSettings = defineSettings({
  HOST: coreSettings.HOST,
  MicrosoftAppId: { type: entraId, description: 'The app (client) id of the Azure bot. It opens the Teams door.' },
  MicrosoftAppPassword: {
    type: text,
    secret: true,
    description: 'The client secret of the app. A UserAssignedMSI has none.',
  },
  ...tenant,
  MicrosoftAppType: {
    type: appType,
    default: derived(tenant, ({ MicrosoftAppTenantId }): (typeof appTypes)[number] =>
      MicrosoftAppTenantId === undefined ? 'MultiTenant' : 'SingleTenant',
    ),
    description: `How the Azure bot was made: ${appTypes.join(', ')}.`,
  },
  TEAMS_ALLOWED_TENANTS: {
    type: commaList(tenantId),
    default: [],
    description: 'Other tenants whose people may talk to the bot, with commas between them.',
  },
  TEAMS_ANONYMOUS: {
    type: flag,
    default: false,
    description:
      'Takes activities without a token, for the Agents Playground: whoever reaches the port may claim to be anybody. Only while HOST is loopback.',
  },
  TEAMS_OPENID_METADATA_URL: {
    type: z.string().refine(isMetadataUrl, 'it must be a URL that begins with https://, or http:// on this machine'),
    description:
      'Where the signing keys of the Bot Connector are announced, for national clouds and tests. Without it those of the public cloud.',
  },
});

/** What those keys hold. */
export type TeamsSettings = SettingsValues<typeof teamsSettings>;

function isMetadataUrl(value: string): boolean {
  const url = URL.parse(value);
  if (!url || url.username || url.password) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname));
}

/** Whether the host name of a URL is this machine's own: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
}
