import type { Cloud } from './clouds.ts';
import { isThisMachine } from './teams-settings.ts';

/** Whether a bot may send what it says, and its token, to this `serviceUrl`. */
export type ServiceUrlPolicy = (serviceUrl: string) => boolean;

/**
 * Only https to the hosts of Teams itself: whoever could name another one would be sent the bot's token, or would have this
 * server call into its own network.
 */
export function teamsServiceUrls(cloud: Cloud): ServiceUrlPolicy {
  const hosts = new Set(cloud.serviceHosts);
  return (serviceUrl) => {
    const url = URL.parse(serviceUrl);
    return url?.protocol === 'https:' && hosts.has(url.host) && !url.username && !url.password;
  };
}

/** Only this machine: for the anonymous mode and for a test's own issuer, where nothing else is to be reached. */
export const localServiceUrls: ServiceUrlPolicy = (serviceUrl) => {
  const url = URL.parse(serviceUrl);
  if (!url || url.username || url.password) return false;
  return (url.protocol === 'http:' || url.protocol === 'https:') && isThisMachine(url.hostname);
};
