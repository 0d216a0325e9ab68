import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Accepted, accepted, type EventFrame, type Work, type WorkFrame } from '../wire.ts';
import { createBackOff } from './back-off.ts';
import { type Connection, CoreAway, type Refused } from './connection.ts';
import { followThread } from './follow-thread.ts';

/** What a person, or a program, is shown of a conversation. */
export interface ConversationListener {
  /** Somebody else said something, or the core did. `answers`: it answers a message of this client's. */
  said(event: EventFrame, answers: boolean): void;
  /** The replies being written, or who works, have changed: see the conversation. */
  changed(): void;
  /** The core was lost (and what is being done about it is going on), or is there again. */
  connected(is: boolean): void;
  /** The Thread cannot be followed any more. */
  refused(error: Refused): void;
}

/** A message that is being sent has arrived by then, unless no core answers. */
const sentWithinMs = 2000;

/** One Thread as this client has it. */
interface Talk {
  thread: string | undefined;
  /** The Events that this client has sent, and the names it gave them. */
  own: Set<string>;
  working: readonly Work[];
  upTo: number;
  dead: ReadonlySet<string>;
  drafts: Map<string, string>;
  /** Undefined: it is not followed yet. */
  unfollow: (() => void) | undefined;
}

/**
 * A conversation with those on the other side of a core: one Thread at a time. What is sent is sent again until the core has it,
 * in order and once; what is said is told once, whatever becomes of the connection.
 */
export class Conversation {
  readonly #connection: Connection;
  readonly #stream: string | undefined;
  readonly #listener: ConversationListener;
  readonly #stop = new AbortController();
  readonly #lost = new Set<'sending' | 'following'>();
  #talk: Talk;
  #outbox: Promise<unknown> = Promise.resolve();
  #unsent = 0;
  #waiters: { talk: Talk; upTo: number; resolve: () => void }[] = [];

  /** In a new Thread, in the Stream named or in the default one, or in a Thread that exists. */
  constructor(
    connection: Connection,
    place: { stream?: string | undefined; thread?: string | undefined },
    listener: ConversationListener,
  ) {
    this.#connection = connection;
    this.#stream = place.stream;
    this.#listener = listener;
    this.#talk = this.#newTalk(place.thread);
  }

  /** Tells what was said in a Thread that exists. Without this only what is said after the first message is told. */
  tellFromTheBeginning(): void {
    this.#follow(this.#talk, 0);
  }

  get thread(): string | undefined {
    return this.#talk.thread;
  }

  /** Who works in the Thread, or is about to. */
  get working(): readonly Work[] {
    return this.#talk.working;
  }

  /** The replies being written, by Activation, in the order in which they began. */
  get drafts(): ReadonlyMap<string, string> {
    return this.#talk.drafts;
  }

  /** Who waits for the next attempt, and why, in a sentence; undefined when nobody does. */
  get waitsFor(): string | undefined {
    const waits = this.#talk.working.find((work) => work.state === 'waiting');
    return waits && `${waits.worker.name} waits and tries again: ${waits.reason ?? 'no reason given'}`;
  }

  /** Messages that the core does not have yet. */
  get unsent(): number {
    return this.#unsent;
  }

  /**
   * Sends a message, after those before it. Settles when the core has it.
   *
   * @throws Refused when the core will not take it
   */
  async send(body: string): Promise<Accepted> {
    const talk = this.#talk;
    const sent = this.#outbox.then(() => this.#sendUntilAccepted(talk, body));
    this.#outbox = sent.catch(() => undefined);
    this.#unsent++;
    try {
      return await sent;
    } finally {
      this.#unsent--;
      this.#listener.changed();
    }
  }

  /** Settles when nobody works in the Thread any more and everything said up to this message, and because of it, was told. */
  async settled(message: Pick<Accepted, 'upTo'>): Promise<void> {
    const talk = this.#talk;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ talk, upTo: message.upTo, resolve });
    this.#settle();
    await promise;
  }

  /** Whether a message was given up on. Known once it has settled. */
  isDead(message: Pick<Accepted, 'event'>): boolean {
    return this.#talk.dead.has(message.event);
  }

  /**
   * Stops whoever works in the Thread, and whoever would by a message that is on its way. Settles when the core has heard it; throws
   * {@link CoreAway} or Refused.
   */
  async stopWork(): Promise<void> {
    const talk = this.#talk;
    // Not longer: a core that is away may stay away.
    if (this.#unsent > 0) await Promise.race([this.#outbox, sleep(sentWithinMs, null, { ref: false })]);
    const { thread, own } = talk;
    if (thread === undefined) return;
    const id = randomUUID();
    own.add(id);
    const answer = await this.#connection.post(`/terminal/threads/${thread}/stop`, { id }, accepted);
    own.add(answer.event);
  }

  /** What is sent from now on begins a new Thread. */
  begin(): void {
    this.#talk.unfollow?.();
    this.#talk = this.#newTalk(undefined);
    this.#lost.delete('following');
    this.#listener.changed();
  }

  close(): void {
    this.#stop.abort();
    this.#talk.unfollow?.();
  }

  #newTalk(thread: string | undefined): Talk {
    return {
      thread,
      own: new Set(),
      working: [],
      upTo: 0,
      dead: new Set(),
      drafts: new Map(),
      unfollow: undefined,
    };
  }

  async #sendUntilAccepted(talk: Talk, body: string): Promise<Accepted> {
    const id = randomUUID();
    talk.own.add(id);
    const backOff = createBackOff();
    for (;;) {
      const place = talk.thread ? { thread: talk.thread } : this.#stream ? { stream: this.#stream } : {};
      try {
        const answer = await this.#connection.post('/terminal/messages', { id, body, ...place }, accepted);
        this.#connected('sending', true);
        talk.own.add(answer.event);
        talk.thread = answer.thread;
        if (talk === this.#talk && !this.#stop.signal.aborted) this.#follow(talk, answer.position - 1);
        return answer;
      } catch (error) {
        if (!(error instanceof CoreAway)) throw error;
        this.#connected('sending', false);
        await backOff.wait(this.#stop.signal);
        this.#stop.signal.throwIfAborted();
      }
    }
  }

  #follow(talk: Talk, since: number): void {
    if (talk.thread === undefined || talk.unfollow) return;
    talk.unfollow = followThread(this.#connection, talk.thread, since, {
      event: (event) => this.#said(talk, event),
      draft: (activation, text) => {
        talk.drafts.set(activation, text);
        this.#listener.changed();
      },
      work: (work) => this.#works(talk, work),
      connected: (is) => {
        // those that are still being written come again, whole
        if (is) talk.drafts.clear();
        this.#connected('following', is);
      },
      refused: (error) => this.#listener.refused(error),
    });
  }

  #said(talk: Talk, event: EventFrame): void {
    if (event.activation) talk.drafts.delete(event.activation);
    // sometimes it is heard here before the answer to the request that sent it
    if (event.sentAs !== null && talk.own.has(event.sentAs)) talk.own.add(event.id);
    else this.#listener.said(event, event.answers !== null && talk.own.has(event.answers));
  }

  #works(talk: Talk, { working, upTo, dead }: WorkFrame): void {
    talk.working = working;
    talk.upTo = upTo;
    talk.dead = new Set(dead);
    for (const activation of talk.drafts.keys())
      if (!working.some((work) => work.activation === activation)) talk.drafts.delete(activation);
    this.#listener.changed();
    this.#settle();
  }

  #settle(): void {
    const isSettled = ({ talk, upTo }: { talk: Talk; upTo: number }) => talk.working.length === 0 && talk.upTo >= upTo;
    const settled = this.#waiters.filter(isSettled);
    this.#waiters = this.#waiters.filter((waiter) => !isSettled(waiter));
    for (const { resolve } of settled) resolve();
  }

  #connected(part: 'sending' | 'following', is: boolean): void {
    const before = this.#lost.size === 0;
    if (is) this.#lost.delete(part);
    else this.#lost.add(part);
    const now = this.#lost.size === 0;
    if (before !== now) this.#listener.connected(now);
  }
}
