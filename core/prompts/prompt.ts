import type { ChatAnswer, Core } from '../core.ts';
import type { OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import type { ToolName } from '../tools/tool-names.ts';

/** Who uses a prompt, and where. */
export interface PromptContext {
  core: Core;
  organisation: OrganisationId;
  worker: WorkerId;
  /** The prompts that this Worker may use. */
  visible: readonly Prompt[];
  /** The thread in which it was said, whose readers see the answer. None over MCP. */
  place?: { stream: StreamId; thread: ThreadId };
}

interface PromptBase {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** All the text after the name. */
  readonly argument?: { readonly name: string; readonly description: string; readonly required: boolean };
  /** It is visible only with this tool. */
  readonly needsTool?: ToolName;
  /** It is about the thread in which it is said, so that there is none over MCP. */
  readonly needsThread?: true;
  /** In a chat, without a slash: whether a message of its name and this text is meant as the prompt. */
  isMeant(argument: string): boolean;
}

/** Answered by the core, without a model. */
export interface AnswerPrompt extends PromptBase {
  readonly kind: 'answer';
  /** @throws SwitchboardError for what the person can mend. */
  answer(context: PromptContext, argument: string): Promise<string | ChatAnswer>;
}

/** Told to an agent, as if the person had written it out. */
export interface AgentPrompt extends PromptBase {
  readonly kind: 'message';
  message(argument: string): string;
}

/** A slash command, the same in every door and over MCP. One file each. */
export type Prompt = AnswerPrompt | AgentPrompt;
