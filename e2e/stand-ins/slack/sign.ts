import { createHmac } from 'node:crypto';

/** The headers with which Slack signs a request (docs.slack.dev/authentication/verifying-requests-from-slack). */
export function signatureHeaders(
  signingSecret: string,
  body: string,
  seconds: number = Math.floor(Date.now() / 1000),
): Record<string, string> {
  const signature = createHmac('sha256', signingSecret).update(`v0:${seconds}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': String(seconds), 'x-slack-signature': `v0=${signature}` };
}
