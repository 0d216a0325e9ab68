/** A message's name among all of Slack: its ts is unique in its channel only. */
export function messageKey(channel: string, ts: string): string {
  return `${channel}:${ts}`;
}

/** The ts in a {@link messageKey}. */
export function tsOf(key: string): string {
  return key.slice(key.lastIndexOf(':') + 1);
}
