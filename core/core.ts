import type { Logger } from 'pino';
import type { Door } from './delivery/door.ts';
import type { Desktops } from './desktops/desktops.ts';
import type { ShownDesktop } from './desktops/shown-desktop.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Runtime } from './runtimes/runtime.ts';
import type { Database } from './store/database.ts';
import type { OrganisationId, StreamId, ThreadId, WorkerId } from './store/ids.ts';
import type { Waking } from './store/waking.ts';
import type { ChatCommand } from './streams/address.ts';
import type { Attachment } from './streams/message.ts';

/** What the parts of the core share in one process. Built once, in main.ts. */
export interface Core {
  readonly database: Database;
  readonly waking: Waking;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What thinks during an Activation. */
  readonly runtime: Runtime;
  /** The doors that take Deliveries, by the kind of Binding they serve. */
  readonly doors: ReadonlyMap<string, Door>;
  /** Base of the links in messages, without a slash at its end. */
  readonly publicUrl: string;
  /** Names this process in leases and logs: host, pid and a random part. */
  readonly processName: string;
  readonly prompts: ChatPrompts;
  /** The text that replies are written to, for those who watch them grow. */
  readonly drafts: Drafts;
  /** The Hosts, channels and keys of this process. */
  readonly desktops: Desktops;
  /** How many tokens of a Thread's history a model is given (an estimate: four characters a token). */
  readonly historyTokens: number;
}

/** The prompts (slash commands) as a chat sees them. */
export interface ChatPrompts {
  /**
   * What a command of the text comes to: an answer that needs no model, or the text of a prompt for an agent. Null when it is no
   * prompt that this Worker may use, so that the text is an ordinary message.
   */
  inChat(core: Core, asked: ChatPromptRequest): Promise<ChatPrompt | null>;
}

/** Who wrote which command, and where. */
export interface ChatPromptRequest {
  organisation: OrganisationId;
  worker: WorkerId;
  stream: StreamId;
  thread?: ThreadId;
  command: ChatCommand;
}

export type ChatPrompt =
  | { kind: 'answer'; answer: (appended: { thread: ThreadId }) => Promise<string | ChatAnswer> }
  | { kind: 'prompt'; text: string };

/** What the core itself answers, where a text does not say it all. */
export interface ChatAnswer {
  text: string;
  /** A Desktop to show with it. */
  shown?: ShownDesktop;
  attachments?: Attachment[];
  /** For the eyes of the asker alone, where the door can do so; else it is posted like any answer. */
  alone?: true;
}

/** The replies being written in this process, by Activation. One place a message: the latest text, never a queue. */
export interface Drafts {
  /** The text so far of an Activation that runs in this process, or undefined. */
  get(activation: string): string | undefined;
  set(activation: string, thread: string, text: string): void;
  end(activation: string): void;
  /** Calls `listener` with the latest text at most every 50 ms while a reply of this Thread grows. Returns what ends it. */
  watch(thread: string, listener: (activation: string, text: string) => void): () => void;
}
