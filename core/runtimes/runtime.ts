import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { ActivationId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import type { Event } from '../streams/message.ts';

/** Tokens that a model counted. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
}

/** What an agent is told when it is woken. Everything that people and systems wrote is data, to be shown in marked blocks. */
export interface Briefing {
  organisation: OrganisationId;
  activation: ActivationId;
  worker: { id: WorkerId; name: string; identity: string; role: { title: string; content: string } | null };
  stream: { id: StreamId; name: string; description: string; kind: string };
  thread: { id: ThreadId; subject: string };
  /** The Events that woke it, in order: at most 20 and 32 KiB. */
  batch: BriefedEvent[];
  /** What was said in the Thread before, oldest first, within the budget of tokens. */
  history: BriefedEvent[];
  /** True when older history was left out: `read_events` has it. */
  historyCut: boolean;
  /** Who reads the answer: the people in the batch and all who may read the Thread. Nothing may rest on what one of them may not read. */
  readers: WorkerId[];
}

/** An Event with the name of its author, for people and models. */
export type BriefedEvent = Event & { authorName: string; cut: boolean };

/**
 * What happened in an earlier attempt of the same Activation, in order. A model step is its text, if any, and then all of its tool
 * calls, stored before the first of them runs. `final`: the whole reply, with nothing to come.
 */
export type Step =
  | { kind: 'text'; text: string; final?: true }
  | { kind: 'tool_call'; id: string; tool: string; input: unknown }
  | { kind: 'tool_result'; id: string; tool: string; output: unknown; isError: boolean };

/** One run, or one more attempt of it. */
export interface RuntimeRun {
  briefing: Briefing;
  /** What was stored before a crash or a failure: go on from there. */
  steps: readonly Step[];
  /** Aborted on `stop`, when the lease is lost or the process ends. `signal.reason` says which. The deadline is the runtime's own. */
  signal: AbortSignal;
  /** Stores a step before the next begins, with the tokens of the model step it begins. Throws when the lease is lost. */
  record(step: Step, usage?: Usage): Promise<void>;
  /** The reply as far as it is written, whole. Cheap: call it at every piece. */
  write(text: string): void;
  /** The Worker's own tools over MCP, in this process: the same grants, the same record. The caller closes it. */
  openTools(): Promise<Client>;
  /** True when the tool may simply be called again if it is unknown whether it ran. */
  isIdempotent(tool: string): boolean;
  /** True when the Activation is over once this tool has succeeded. */
  endsRun?(tool: string): boolean;
}

/** What thinks. Throws OutsideUnavailable when a model is away or asks to wait (core/dispatch/failure.ts). */
export interface Runtime {
  readonly name: string;
  /**
   * Gives the final text: the reply. Exactly `NO_REPLY` or nothing posts nothing. Settles within a second of an abort, with
   * `signal.reason`.
   */
  run(run: RuntimeRun): Promise<{ text: string }>;
}
