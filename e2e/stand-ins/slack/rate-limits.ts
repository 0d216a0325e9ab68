/** A 429, for every call of some methods, whatever else is allowed. */
export type Storm = {
  /** Method names; default all. */
  methods?: string[];
  /** Of so many calls the first is refused; default 1. */
  every?: number;
  /** Seconds in Retry-After. */
  retryAfter: number;
  /** It ends after so many milliseconds. */
  forMs: number;
};

/** So many calls at once, then so many a minute, for each value of what they are counted by. */
export type Limit = { burst: number; perMinute: number; by: 'workspace' | 'channel' };

/**
 * Slack's documented limits: chat.postMessage one a second in a channel (with some bursts), Tier 3 for edits and reading, Tier 4 for
 * users, files and what one person alone sees (docs.slack.dev/apis/web-api/rate-limits).
 */
export const slackLimits: Record<string, Limit> = {
  'chat.postMessage': { burst: 3, perMinute: 60, by: 'channel' },
  'chat.update': { burst: 25, perMinute: 50, by: 'workspace' },
  'conversations.info': { burst: 25, perMinute: 50, by: 'workspace' },
  'conversations.replies': { burst: 25, perMinute: 50, by: 'workspace' },
  'conversations.history': { burst: 25, perMinute: 50, by: 'workspace' },
  'users.info': { burst: 50, perMinute: 100, by: 'workspace' },
  'chat.postEphemeral': { burst: 50, perMinute: 100, by: 'workspace' },
  'files.getUploadURLExternal': { burst: 50, perMinute: 100, by: 'workspace' },
  'files.completeUploadExternal': { burst: 50, perMinute: 100, by: 'workspace' },
  'files.info': { burst: 50, perMinute: 100, by: 'workspace' },
};

const onItsWayMs = 250;

export type RateLimits = {
  /** Seconds of Retry-After when this call is refused, else undefined: then it has been counted. */
  refuse(method: string, channel: string | undefined): number | undefined;
  storm(storm: Storm): void;
  /** 429 so far. */
  refusals(): number;
  /**
   * Calls that came although Retry-After had not passed since the last 429 to the same method and channel. Calls that were on their
   * way already when it was said do not count.
   */
  early(): number;
};

export function createRateLimits(limits: Record<string, Limit> = {}): RateLimits {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const rests = new Map<string, { said: number; until: number }>();
  let storms: (Storm & { until: number; calls: number })[] = [];
  let refusals = 0;
  let early = 0;

  function overLimit(method: string, channel: string | undefined): number | undefined {
    const limit = limits[method];
    if (!limit) return undefined;
    const key = limit.by === 'channel' ? `${method} ${channel}` : method;
    const bucket = buckets.get(key) ?? { tokens: limit.burst, at: Date.now() };
    const now = Date.now();
    bucket.tokens = Math.min(limit.burst, bucket.tokens + ((now - bucket.at) / 60_000) * limit.perMinute);
    bucket.at = now;
    buckets.set(key, bucket);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil(((1 - bucket.tokens) * 60) / limit.perMinute));
    bucket.tokens -= 1;
    return undefined;
  }

  return {
    refuse(method, channel) {
      const now = Date.now();
      const key = `${method} ${channel ?? ''}`;
      const rest = rests.get(key);
      if (rest && rest.until > now && now - rest.said > onItsWayMs) early += 1;
      storms = storms.filter((storm) => storm.until > now);
      const storm = storms.find(
        (each) => (!each.methods || each.methods.includes(method)) && each.calls++ % (each.every ?? 1) === 0,
      );
      const seconds = storm ? storm.retryAfter : overLimit(method, channel);
      if (seconds === undefined) return undefined;
      refusals += 1;
      rests.set(key, { said: now, until: now + seconds * 1000 });
      return seconds;
    },
    storm: (storm) => void storms.push({ ...storm, until: Date.now() + storm.forMs, calls: 0 }),
    refusals: () => refusals,
    early: () => early,
  };
}
