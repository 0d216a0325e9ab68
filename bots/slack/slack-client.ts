import { WebClient } from '@slack/web-api';
import type { Log } from '../../core/log/log.ts';
import { slackLog } from './slack-log.ts';
import type { SlackSettings } from './slack-settings.ts';

/** A request takes so long at the most, in milliseconds. */
const timeoutMs = 10_000;

/**
 * The client of Slack's Web API, with all its own repetitions off: it would repeat a request for half an hour by itself, and wait
 * out a 429 in memory, where no other process sees it and no restart survives it. The outbox does both (design rule 6).
 */
export function slackClient(settings: SlackSettings, log: Log): WebClient {
  return new WebClient(settings.SLACK_BOT_TOKEN, {
    slackApiUrl: settings.SLACK_API_URL,
    allowAbsoluteUrls: false,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    maxRequestConcurrency: 64,
    timeout: timeoutMs,
    logger: slackLog(log),
  });
}
