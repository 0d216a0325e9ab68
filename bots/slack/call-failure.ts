import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';

/** Slack's error code of a call that Slack has answered; undefined for whatever else was thrown. */
export function slackErrorCode(error: unknown): string | undefined {
  return error instanceof WebAPIPlatformError ? error.data.error : undefined;
}

/** For how many seconds Slack asks to be left alone; undefined: it did not ask. */
export function retryAfterOf(error: unknown): number | undefined {
  return error instanceof WebAPIRateLimitedError ? error.retryAfter : undefined;
}

/**
 * True when Slack has certainly not done what it was asked for: it said so, or nobody listened. After a timeout or a broken
 * connection it may have.
 */
export function surelyNotDone(error: unknown): boolean {
  if (error instanceof WebAPIRequestError) return causes(error.original).some((cause) => neverSent.has(cause));
  return (
    error instanceof WebAPIRateLimitedError || (error instanceof WebAPIPlatformError && !isFault(error.data.error))
  );
}

/**
 * What a failed call of the Web API means for a Delivery (design rule 6): to wait, to give up, or a failed attempt. The sentences
 * are for people: they say what to do.
 */
export function callFailure(error: unknown): Error {
  const retryAfterSeconds = retryAfterOf(error);
  if (retryAfterSeconds !== undefined)
    return new OutsideUnavailable(`Slack asks to wait ${retryAfterSeconds} s`, {
      cause: error,
      // A little apart, so that not everybody comes back at the same moment.
      retryAfterSeconds: retryAfterSeconds + Math.random() * 0.5,
    });
  if (error instanceof WebAPIRequestError)
    return new OutsideUnavailable(`Slack cannot be reached (${causes(error.original).at(-1) ?? 'no reason given'})`, {
      cause: error,
    });
  if (error instanceof WebAPIHTTPError) {
    const { statusCode } = error;
    const message = `Slack answered with HTTP status ${statusCode}`;
    return statusCode >= 500 || statusCode === 408
      ? new OutsideUnavailable(message, { cause: error })
      : new Error(message, { cause: error });
  }
  const code = slackErrorCode(error);
  if (code !== undefined) return platformFailure(code, error as WebAPIPlatformError);
  // 429 without a Retry-After: the library throws a plain Error.
  if (error instanceof Error && /Retry header/.test(error.message))
    return new OutsideUnavailable('Slack asks to wait', { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

function platformFailure(code: string, error: WebAPIPlatformError): Error {
  if (isFault(code)) return new OutsideUnavailable(`Slack has a fault of its own (${shown(code)})`, { cause: error });
  if (code === 'missing_scope') {
    const { needed } = error.data as { needed?: unknown };
    const scope = typeof needed === 'string' ? ` "${needed}"` : '';
    return new PermanentFailure(
      `the Slack app lacks a scope${scope}: add it in the app's settings and install the app again`,
      { cause: error },
    );
  }
  const sentence = sentences[code];
  if (sentence) return new PermanentFailure(`${sentence} (${code})`, { cause: error });
  return new Error(`Slack answered ${shown(code)}`, { cause: error });
}

const refusedToken = 'Slack refuses SLACK_BOT_TOKEN: install the app again and set the token that Slack shows then';
const forbidden = 'a rule of the Slack workspace forbids the app to write there';
const noUploads = 'the Slack workspace takes no such files';
const tooLong = 'the message is too long for Slack';

/** Errors of chat.* and files.* at which trying again cannot help (docs.slack.dev/reference/methods). */
const sentences: Readonly<Record<string, string>> = {
  channel_not_found: 'the Slack channel is gone, or the app was removed from it: invite the app there',
  not_in_channel: 'the app is no member of the Slack channel: invite it there',
  is_archived: 'the Slack channel is archived',
  invalid_auth: refusedToken,
  not_authed: refusedToken,
  account_inactive: refusedToken,
  token_revoked: refusedToken,
  token_expired: refusedToken,
  not_allowed_token_type: refusedToken,
  msg_too_long: tooLong,
  msg_blocks_too_long: tooLong,
  no_text: 'Slack takes no empty message',
  message_not_found: 'the message was deleted in Slack',
  restricted_action: forbidden,
  restricted_action_non_threadable_channel: forbidden,
  restricted_action_read_only_channel: forbidden,
  restricted_action_thread_locked: forbidden,
  restricted_action_thread_only_channel: forbidden,
  no_permission: forbidden,
  ekm_access_denied: forbidden,
  team_access_not_granted: forbidden,
  access_denied: forbidden,
  as_user_not_supported: forbidden,
  cannot_reply_to_message: 'Slack lets nobody reply to that message',
  thread_not_found: 'the Slack thread is gone',
  messages_tab_disabled: 'direct messages to the app are switched off: switch on its messages tab under "App Home"',
  user_not_found: 'the Slack user is gone',
  user_not_in_channel: 'the person is not in the Slack channel',
  file_upload_size_restricted: 'the Slack workspace takes no file of that size',
  file_uploads_disabled: noUploads,
  file_uploads_except_images_disabled: noUploads,
  storage_limit_reached: 'the Slack workspace has no room left for files',
  invalid_blocks: 'Slack cannot read the message',
  invalid_blocks_format: 'Slack cannot read the message',
};

/** Slack's own faults, and 429 said in a body. */
const faults = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'ratelimited',
  'rate_limited',
  'accesslimited',
  'team_added_to_org',
  'team_not_ready',
]);

/** A body that is no JSON (a proxy's page) comes as a "code" with blanks in it. */
function isFault(code: string): boolean {
  return faults.has(code) || !/^[a-z][a-z0-9_]*$/i.test(code);
}

function shown(code: string): string {
  return code.replace(/\s+/g, ' ').trim().slice(0, 60) || 'nothing';
}

const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** What lies behind an error of fetch, outermost first: codes where there are any, else messages. */
function causes(error: unknown): string[] {
  const found: string[] = [];
  for (let cause = error; cause instanceof Error && found.length < 5; cause = cause.cause)
    found.push('code' in cause && typeof cause.code === 'string' ? cause.code : cause.message);
  return found;
}
