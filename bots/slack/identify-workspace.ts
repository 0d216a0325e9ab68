import type { WebClient } from '@slack/web-api';
import { ConfigurationError } from '../../core/errors.ts';
import { callFailure, slackErrorCode } from './call-failure.ts';

/** The workspace that the bot token belongs to. */
export interface Workspace {
  /** `T0123`. */
  team: string;
  name: string;
  /** The app's own user, which people mention: `U0123`. */
  botUser: string;
  /** `B0123`; undefined where Slack does not say. */
  botId: string | undefined;
}

/** What Slack says of a token that it will never take. */
const refusals = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'not_allowed_token_type',
  'user_removed_from_team',
]);

/**
 * Asks Slack whose token it is (auth.test).
 *
 * @throws ConfigurationError when Slack refuses the token, or it is not one of a single workspace; OutsideUnavailable or another
 * Error when Slack does not answer as it should.
 */
export async function identifyWorkspace(client: WebClient): Promise<Workspace> {
  const answer = await client.auth.test().catch((error: unknown) => {
    const code = slackErrorCode(error);
    if (code !== undefined && refusals.has(code))
      throw new ConfigurationError(
        `SLACK_BOT_TOKEN: Slack refuses it (${code}). Copy the bot token (xoxb-…) from "OAuth & Permissions" of your app`,
      );
    throw callFailure(error);
  });
  const { team_id: team, user_id: botUser, team: name, bot_id: botId } = answer;
  if (answer.is_enterprise_install || !team || !botUser)
    throw new ConfigurationError(
      'SLACK_BOT_TOKEN: it belongs to no single workspace. Install the app in one workspace and take the token from there',
    );
  return { team, name: name ?? team, botUser, botId };
}
