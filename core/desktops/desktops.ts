import type { Core } from '../core.ts';
import type { HttpApp } from '../http/http-app.ts';
import { type Channels, createChannels } from './channels.ts';
import type { DesktopParts } from './desktop-parts.ts';
import type { DesktopSettings } from './desktop-settings.ts';
import { createDialer, type Dialer } from './dialer.ts';
import { createHostLinks, type HostLinks } from './host-links.ts';
import { mountPages } from './mount-pages.ts';
import { createSigningKeys, type SigningKeys } from './signing-keys.ts';
import type { StillLimits } from './stills.ts';
import { type TendingTimes, tendDesktops } from './tend-desktops.ts';
import { createViewers, type ViewerLimits } from './viewers.ts';

/** What the parts of the core use of Desktops. */
export interface Desktops {
  readonly settings: DesktopSettings;
  readonly keys: SigningKeys;
  readonly channels: Channels;
  readonly dialer: Dialer;
  readonly links: HostLinks;
  close(): Promise<void>;
}

/** Makes this process's side of Desktops. Hosts and viewers come once {@link serveDesktops} has been called. */
export function createDesktops(parts: DesktopParts): Desktops {
  const links = createHostLinks(parts);
  const dialer = createDialer(parts, links);
  const channels = createChannels(dialer);
  return {
    settings: parts.settings,
    keys: createSigningKeys(parts),
    channels,
    dialer,
    links,
    async close() {
      channels.close();
      await links.close();
    },
  };
}

/** Desktops at work in this process. */
export interface RunningDesktops {
  /** Accepts nothing more: Hosts and viewers connect to another core. */
  stop(): Promise<void>;
}

/**
 * Opens the endpoints (`/hosts`, `/hosts/dial`, `/d/…`, `/wall`) and begins to look after Hosts and Desktops.
 *
 * @param options `viewerDirectory`: the built viewer page; undefined: there is none here
 */
export function serveDesktops(
  core: Core,
  http: Pick<HttpApp, 'mount' | 'upgrades'>,
  options: { viewerDirectory?: string | undefined; times?: TendingTimes & ViewerLimits & StillLimits } = {},
): RunningDesktops {
  const { links, dialer } = core.desktops;
  const viewers = createViewers(core, dialer, options.times);
  http.upgrades.mount('/hosts', links.take);
  http.upgrades.mount('/hosts/dial', dialer.take);
  http.upgrades.mount('/d/:desktop/stream', viewers.take);
  http.mount('/', mountPages(core, options.viewerDirectory, options.times));
  const tending = tendDesktops(core, options.times);
  return {
    async stop() {
      await Promise.all([tending.stop(), viewers.close()]);
      await core.desktops.close();
    },
  };
}
