import type { Core } from '../../core/core.ts';
import type { Bot, BotContext, RunningBot } from '../../core/delivery/bot.ts';
import { ConfigurationError, UnavailableError } from '../../core/errors.ts';
import { addInstallation, findInstallation } from '../../core/organisation/installations.ts';
import { defaultOrganisation } from '../../core/organisation/seed.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import { createConversations } from './conversations.ts';
import { eventsEndpoint, eventsPath } from './events-endpoint.ts';
import type { Workspace } from './identify-workspace.ts';
import { createPeople } from './people.ts';
import { reachSlack } from './reach-slack.ts';
import { receiveClick } from './receive-click.ts';
import { type Reception, receiveEvent } from './receive-event.ts';
import { slackClient } from './slack-client.ts';
import { SlackDoor } from './slack-door.ts';
import { type SlackSettings, slackSettings } from './slack-settings.ts';

/** Slack: events over HTTP for what comes in, the Web API for what goes out. */
export const slack: Bot<typeof slackSettings> = {
  kind: 'slack',
  settings: slackSettings,
  door: (settings) => (isConfigured(settings) ? new SlackDoor() : undefined),
  start,
};

function isConfigured(settings: SlackSettings): boolean {
  return settings.SLACK_BOT_TOKEN !== undefined && settings.SLACK_SIGNING_SECRET !== undefined;
}

/** @throws ConfigurationError when one of the two secrets is missing, or Slack refuses the token */
async function start(core: Core, settings: SlackSettings, context: BotContext): Promise<RunningBot | undefined> {
  if (!isConfigured(settings)) {
    if (settings.SLACK_BOT_TOKEN !== undefined) throw missing('SLACK_SIGNING_SECRET', 'SLACK_BOT_TOKEN');
    if (settings.SLACK_SIGNING_SECRET !== undefined) throw missing('SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET');
    return undefined;
  }
  const client = slackClient(settings, core.log);
  const people = createPeople(core, client);
  const conversations = createConversations(core, client, people);
  let reception: Reception | undefined;

  const endpoint = eventsEndpoint(settings, {
    log: core.log,
    take: async (body) => await receiveEvent(receptionOrLater(reception), body),
    takeClick: async (body) => await receiveClick(receptionOrLater(reception), body),
  });
  context.mount('/', endpoint.routes);

  const reaching = await reachSlack(client, core.log, async (workspace) => {
    const organisation = await organisationOf(core, workspace.team);
    reception = { core, organisation, workspace, people, conversations };
    const door = core.doors.get('slack');
    if (door instanceof SlackDoor) door.connect({ core, client, workspace });
  });
  return {
    describe: [describe(reaching.workspace, context.publicUrl)],
    warnings: warningsOf(settings, context, reaching.reason),
    async stop() {
      reaching.stop();
      await endpoint.stop();
    },
  };
}

function receptionOrLater(reception: Reception | undefined): Reception {
  if (!reception) throw new UnavailableError('Slack has not told yet which workspace the bot token belongs to');
  return reception;
}

function missing(key: string, given: string): ConfigurationError {
  return new ConfigurationError(
    `${given} is set and ${key} is not: Slack needs both. manifests/slack says where to find them`,
  );
}

/** The bot token's workspace is the default Organisation's, unless somebody gave it to another. */
async function organisationOf(core: Core, team: string): Promise<OrganisationId> {
  const installation = { kind: 'slack', externalId: team };
  const known = await findInstallation(core.database, installation);
  if (known) return known;
  await addInstallation(core.database, defaultOrganisation, installation);
  return defaultOrganisation;
}

function describe(workspace: Workspace | undefined, publicUrl: string): string {
  const name = workspace ? `${workspace.name} (${workspace.team})` : 'not reached yet';
  return `Slack      ${name}   (events come to ${publicUrl}${eventsPath})`;
}

function warningsOf(settings: SlackSettings, context: BotContext, reason: string | undefined): string[] {
  const warnings: string[] = [];
  if (reason !== undefined) {
    const { host } = new URL(settings.SLACK_API_URL);
    warnings.push(`Slack does not answer at ${host}: ${reason}. It is asked again until it does.`);
  }
  if (!context.configured.has('SLACK_API_URL') && !context.publicUrl.startsWith('https://'))
    warnings.push(
      `Slack sends events to https only, and PUBLIC_URL is ${context.publicUrl}: set it to an address that Slack reaches.`,
    );
  return warnings;
}
