import { email } from './bots/email/index.ts';
import { slack } from './bots/slack/index.ts';
import { teams } from './bots/teams/index.ts';
import { terminal } from './bots/terminal/index.ts';
import { runCommand } from './core/cli/run-command.ts';
import { coreSettings } from './core/config/core-settings.ts';
import type { Settings } from './core/config/setting.ts';
import type { Bot } from './core/delivery/bot.ts';
import { SwitchboardError } from './core/errors.ts';
import { start } from './core/start.ts';
import { embedHost } from './sandbox/embed-host.ts';
import { hostSettings } from './sandbox/settings.ts';
import { buildViewer, ViewerBuildError } from './stream-viewer/build.ts';

/** The doors of this house, in the order in which they start. */
const bots = [email, slack, teams, terminal] as readonly Bot<Settings>[];

/** Every key that can be configured: the core's, the sandbox host's and each bot's. */
export const settings = {
  ...coreSettings,
  ...hostSettings,
  ...email.settings,
  ...slack.settings,
  ...teams.settings,
  ...terminal.settings,
};

/** The pages that show Desktops. Without them everything else works, and their links say so. */
async function viewerPages(): Promise<string | undefined> {
  try {
    return await buildViewer();
  } catch (error) {
    if (!(error instanceof ViewerBuildError)) throw error;
    process.stderr.write(`switchboard: ${error.message}\n`);
    return undefined;
  }
}

/** What a person can mend is one clear sentence; anything else is a defect and shows where it happened. */
function explain(error: unknown): string {
  if (error instanceof SwitchboardError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

if (import.meta.main) {
  const [command = 'help', ...args] = process.argv.slice(2);
  try {
    process.exitCode =
      command === 'start'
        ? await start({
            settings,
            bots,
            viewerDirectory: await viewerPages(),
            host: { start: (core) => embedHost(core) },
          })
        : await runCommand(settings, command, args);
  } catch (error) {
    process.stderr.write(`switchboard: ${explain(error)}\n`);
    process.exitCode = 1;
  }
}
