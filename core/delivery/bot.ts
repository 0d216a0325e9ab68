import type { RequestHandler } from 'express';
import type { Settings, SettingsValues } from '../config/setting.ts';
import type { Core } from '../core.ts';
import type { SecretKey } from '../secrets/secret-key.ts';
import type { Door } from './door.ts';

/** A bot folder's one export: a door of the house, started only when it is configured. */
export interface Bot<Declarations extends Settings = Settings> {
  readonly kind: string;
  readonly settings: Declarations;
  /** The way out, made before the Core is, because the Core holds it. Undefined: nothing is ever sent this way. */
  door?(settings: SettingsValues<Declarations>): Door | undefined;
  /** Begins to listen. Undefined: not configured. */
  start(core: Core, settings: SettingsValues<Declarations>, context: BotContext): Promise<RunningBot | undefined>;
}

/** What main.ts hands to each bot beside the core. */
export interface BotContext {
  /** Adds routes to the HTTP app. Bodies come unparsed: whoever checks a signature needs them raw. */
  mount(path: string, routes: RequestHandler): void;
  /** Base of the links in messages. */
  publicUrl: string;
  /** The key of this deployment; derive from it (core/secrets), never use it as it is. */
  secretKey: SecretKey;
  /** The folder that files are kept in. */
  dataDirectory: string;
  /** The keys that were set, as against those that have their defaults. */
  configured: ReadonlySet<string>;
}

/** A bot at work. */
export interface RunningBot {
  /** How to reach it, a line each, printed at start. */
  describe: string[];
  warnings: string[];
  /** Accepts nothing more and lets what is in progress finish. */
  stop(): Promise<void>;
}
