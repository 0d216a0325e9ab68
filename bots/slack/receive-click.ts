import { InvalidInputError } from '../../core/errors.ts';
import { desktopActions } from './desktop-blocks.ts';
import { type Reception, receiveSaid } from './receive-event.ts';
import { slackClick } from './slack-click.ts';

/**
 * Receives a click whose signature has been checked. "Take over" is the person's command `control` in that thread, as if they had
 * written it; a click on a link is only told to us. When it returns, what is to be kept is committed.
 *
 * @throws InvalidInputError when it is no click that Slack would send, UnavailableError when the database is away
 */
export async function receiveClick(reception: Reception, body: unknown): Promise<void> {
  const { core, workspace } = reception;
  const parsed = slackClick.safeParse(body);
  if (!parsed.success) throw new InvalidInputError('this is no click in Slack that can be read');
  const { team, user, channel, message, actions } = parsed.data;
  // Somebody of another company, in a channel that both share, clicks at a message of ours.
  if (team?.id !== workspace.team && message?.user !== workspace.botUser) {
    core.metrics.installationRefused('slack');
    core.log.debug({ team: team?.id }, 'a click in another workspace was dropped');
    return;
  }
  const takeOver = actions.find((action) => action.action_id === desktopActions.takeOver);
  if (!takeOver || !channel || !message) return;
  const isDirect = channel.id.startsWith('D');
  const threadTs = message.thread_ts ?? (isDirect ? undefined : message.ts);
  await receiveSaid(
    reception,
    {
      kind: 'said',
      channel: channel.id,
      channelType: isDirect ? 'im' : undefined,
      ts: takeOver.action_ts,
      threadTs,
      user: user.id,
      userTeam: user.team_id ?? undefined,
      text: 'control',
      mention: true,
    },
    `click:${channel.id}:${message.ts}:${user.id}:${takeOver.action_ts}`,
  );
}
