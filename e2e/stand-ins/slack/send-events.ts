import { setTimeout as sleep } from 'node:timers/promises';
import { deleteEvent, type EventEnvelope, editEvent, eventsOf } from './event-bodies.ts';
import { signatureHeaders } from './sign.ts';
import type { SlackWorkspace, StoredMessage } from './workspace.ts';

/** One attempt to hand over an event. */
export type Attempt = { at: number; status: number | 'timeout' | 'connection_failed'; ms: number };

/** An event and what became of it. */
export type SentEvent = {
  envelope: EventEnvelope;
  attempts: Attempt[];
  /** Answered 2xx in time: from then on it is the app's to keep. */
  accepted: boolean;
  /** Settles when it was accepted, or given up. */
  done: Promise<void>;
};

export type SlackEventsOptions = {
  workspace: SlackWorkspace;
  /** Where the app takes events, now: a core may come back on another port. */
  url: string | (() => string);
  signingSecret: string;
  /** What a second of Slack's pauses between attempts lasts, in seconds; default 0.01. */
  timeScale?: number;
  /** Pauses before each repetition, in Slack's seconds; default Slack's own: at once, a minute, five minutes. */
  retryAfter?: readonly number[];
  /** Slack waits so long for an answer, in milliseconds; default 3000. */
  timeoutMs?: number;
};

/** What a person writes. */
export type Spoken = { channel: string; user: string; text: string; threadTs?: string; files?: object[] };

/** Slack's side of the Events API. */
export type SlackEvents = {
  /** A person writes: the message is in the workspace, and its events (two for a mention) are on their way. */
  say(spoken: Spoken): { message: StoredMessage; events: SentEvent[] };
  edit(message: StoredMessage, text: string): SentEvent;
  remove(message: StoredMessage): SentEvent;
  send(envelope: EventEnvelope): SentEvent;
  /** Every event so far. */
  sent(): readonly SentEvent[];
  /** When no event is on its way any more. */
  settled(): Promise<void>;
  /** Gives up what is not accepted yet. */
  stop(): void;
};

/**
 * Sends events as Slack does: signed, each until it is answered 2xx within 3 s, three times more at the most, with
 * `x-slack-retry-num` and `x-slack-retry-reason`; `x-slack-no-retry` in an answer ends it. Source: docs.slack.dev/apis/events-api.
 */
export function slackEvents(options: SlackEventsOptions): SlackEvents {
  const { workspace, signingSecret } = options;
  const pauses = options.retryAfter ?? [0, 60, 300];
  const scale = options.timeScale ?? 0.01;
  const all: SentEvent[] = [];
  const stopped = new AbortController();

  function send(envelope: EventEnvelope): SentEvent {
    const sent: SentEvent = { envelope, attempts: [], accepted: false, done: Promise.resolve() };
    sent.done = handOver(sent);
    all.push(sent);
    return sent;
  }

  async function handOver(sent: SentEvent): Promise<void> {
    const body = JSON.stringify(sent.envelope);
    let reason = '';
    for (let number = 0; number <= pauses.length && !stopped.signal.aborted; number += 1) {
      if (number > 0) {
        await sleep((pauses[number - 1] ?? 0) * 1000 * scale, undefined, { signal: stopped.signal }).catch(() => {});
        if (stopped.signal.aborted) return;
      }
      const retry: Record<string, string> =
        number > 0 ? { 'x-slack-retry-num': String(number), 'x-slack-retry-reason': reason } : {};
      const { attempt, mayRetry } = await attemptOnce(body, retry);
      sent.attempts.push(attempt);
      sent.accepted = typeof attempt.status === 'number' && attempt.status >= 200 && attempt.status < 300;
      if (sent.accepted || !mayRetry) return;
      reason =
        typeof attempt.status === 'number'
          ? 'http_error'
          : attempt.status === 'timeout'
            ? 'http_timeout'
            : attempt.status;
    }
  }

  async function attemptOnce(
    body: string,
    headers: Record<string, string>,
  ): Promise<{ attempt: Attempt; mayRetry: boolean }> {
    const at = Date.now();
    const url = typeof options.url === 'string' ? options.url : options.url();
    let status: Attempt['status'];
    let mayRetry = true;
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...signatureHeaders(signingSecret, body), ...headers },
        signal: AbortSignal.timeout(options.timeoutMs ?? 3000),
        redirect: 'manual',
      });
      await response.body?.cancel();
      status = response.status;
      mayRetry = response.headers.get('x-slack-no-retry') === null;
    } catch (error) {
      status = error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'connection_failed';
    }
    return { attempt: { at, status, ms: Date.now() - at }, mayRetry };
  }

  return {
    send,
    say({ channel, user, text, threadTs, files }) {
      workspace.addUser(user);
      workspace.addChannel(channel).members.add(user);
      const message = workspace.store({ channel, user, text, ...(threadTs ? { threadTs } : {}) });
      const extra = files ? { files } : {};
      return { message, events: eventsOf(workspace, message, extra).map(send) };
    },
    edit(message, text) {
      const before = message.text;
      message.text = text;
      message.texts.push(text);
      message.edited = { user: message.user, ts: workspace.nextTs() };
      return send(editEvent(workspace, message, before));
    },
    remove(message) {
      message.deleted = true;
      return send(deleteEvent(workspace, message));
    },
    sent: () => all,
    settled: async () => {
      await Promise.all(all.map((event) => event.done));
    },
    stop: () => stopped.abort(),
  };
}
