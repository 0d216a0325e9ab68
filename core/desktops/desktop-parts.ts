import type { Core } from '../core.ts';
import type { SecretKey } from '../secrets/secret-key.ts';
import type { DesktopSettings } from './desktop-settings.ts';

/** What the parts of a process that have to do with Desktops are made of. */
export type DesktopParts = Pick<Core, 'database' | 'waking' | 'log' | 'metrics' | 'processName' | 'publicUrl'> & {
  settings: DesktopSettings;
  /** The key of this deployment: links are signed by keys that it encrypts, tickets are made of it. */
  secretKey: SecretKey;
  /** How Hosts reach this very process: http or https, without a slash at its end. */
  advertiseUrl: string;
  /** What Hosts show; undefined: none is taken. */
  hostToken: string | undefined;
};
