import { defineSettings } from '../../core/config/setting.ts';
import type { Bot } from '../../core/delivery/bot.ts';
import { terminalRoutes } from './server/routes.ts';

/** It has no keys of its own: the client finds the core by PORT, HOST and SECRET_KEY. */
export const terminalSettings = defineSettings({});

/** The terminal: `npm run chat` (chat.ts) talks to these routes. Always on. */
export const terminal: Bot<typeof terminalSettings> = {
  kind: 'terminal',
  settings: terminalSettings,
  async start(core, _settings, context) {
    const { routes, stop } = terminalRoutes(core, context);
    context.mount('/terminal', routes);
    return { describe: ['Terminal   npm run chat'], warnings: [], stop: async () => stop() };
  },
};
