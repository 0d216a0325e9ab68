import type { Logger, LogLevel } from '@slack/bolt';
import type { Log } from '../../core/log/log.ts';

/**
 * Slack's libraries log into ours. What they say at `debug` and `info` holds messages of people, so it goes nowhere; their
 * warnings are about single requests, whose failures the door tells in its own words: they stand at `debug`.
 */
export function slackLog(log: Log): Logger {
  const say = (parts: unknown[]) => {
    const error = parts.find((part) => part instanceof Error);
    const text = parts.filter((part) => typeof part === 'string').join(' ');
    log.debug(error ? { err: error } : {}, text || 'slack');
  };
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (...parts) => say(parts),
    error: (...parts) => say(parts),
    setLevel: () => undefined,
    getLevel: () => 'warn' as LogLevel,
    setName: () => undefined,
  };
}
