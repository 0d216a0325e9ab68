import { createHmac, timingSafeEqual } from 'node:crypto';

/** A request's timestamp may be so far off, before or after (docs.slack.dev/authentication/verifying-requests-from-slack). */
const clockSeconds = 5 * 60;

/** What a request says of itself: the values of x-slack-request-timestamp and x-slack-signature. */
export interface Signed {
  timestamp: string | undefined;
  signature: string | undefined;
  /** The body's very bytes. */
  body: Buffer;
}

/** True when Slack signed this body with our secret within the last five minutes. */
export function isSignedBySlack(signingSecret: string, { timestamp, signature, body }: Signed): boolean {
  if (!timestamp || !signature || !/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > clockSeconds) return false;
  const ours = createHmac('sha256', signingSecret).update(`v0:${timestamp}:`).update(body).digest();
  return timingSafeEqual(ours, Buffer.from(signature.slice(3), 'hex'));
}
