import { randomBytes } from 'node:crypto';
import { signatureHeaders } from './sign.ts';
import { type SlackWorkspace, type StoredMessage, shownMessage } from './workspace.ts';

/** What stands in a message and can be clicked. */
export type Button = { action_id: string; url?: string; value?: string; text: { text: string } };

/** The buttons of a message, or of what was shown to one person. */
export function buttonsOf(message: { blocks?: unknown[] }): Button[] {
  return ((message.blocks ?? []) as { type: string; elements?: Button[] }[]).flatMap((block) =>
    block.type === 'actions' ? (block.elements ?? []) : [],
  );
}

/** The payload of a click (docs.slack.dev/reference/interaction-payloads/block_actions-payload). */
export function clickPayload(
  workspace: SlackWorkspace,
  click: { message: StoredMessage; user: string; action: string },
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  const { message, user, action } = click;
  const button = buttonsOf(message).find((each) => each.action_id === action);
  if (!button) throw new Error(`there is no button "${action}" in that message`);
  const channel = workspace.channels.get(message.channel);
  return {
    type: 'block_actions',
    user: { id: user, username: user.toLowerCase(), name: user.toLowerCase(), team_id: workspace.team },
    api_app_id: workspace.appId,
    token: 'legacy-verification-token',
    container: { type: 'message', message_ts: message.ts, channel_id: message.channel, is_ephemeral: false },
    trigger_id: `${Date.now()}.${randomBytes(4).toString('hex')}`,
    team: { id: workspace.team, domain: 'acme' },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: message.channel, name: channel?.kind === 'im' ? 'directmessage' : channel?.name },
    message: shownMessage(workspace, message),
    response_url: 'https://hooks.slack.example/actions/none',
    actions: [{ ...button, type: 'button', block_id: 'b1', action_ts: workspace.nextTs() }],
    ...changes,
  };
}

/**
 * A person clicks: the signed payload goes out once, as a form, and Slack waits 3 s (`patienceMs`) for the answer. `too late` is what
 * the person sees as a warning sign.
 */
export async function sendClick(options: {
  url: string;
  signingSecret: string;
  payload: Record<string, unknown>;
  patienceMs?: number;
}): Promise<{ status: number | 'too late'; ms: number }> {
  const body = new URLSearchParams({ payload: JSON.stringify(options.payload) }).toString();
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    const response = await fetch(options.url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...signatureHeaders(options.signingSecret, body),
      },
      signal: AbortSignal.timeout(options.patienceMs ?? 3000),
      redirect: 'manual',
    });
    await response.body?.cancel();
    return { status: response.status, ms: ms() };
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return { status: 'too late', ms: ms() };
    throw error;
  }
}
