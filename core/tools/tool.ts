import type { z } from 'zod';
import type { Core } from '../core.ts';
import type { ActivationId, EventId, OrganisationId, StreamId, ThreadId, WorkerId } from '../store/ids.ts';
import type { Picture } from './picture.ts';
import type { ToolName } from './tool-names.ts';

/** Who calls a tool, and during what. */
export interface ToolContext {
  core: Core;
  organisation: OrganisationId;
  /** The Worker whose endpoint this is. */
  worker: WorkerId;
  /** Present while the Worker is being run by the core: what it does is on behalf of others. */
  activation?: {
    id: ActivationId;
    stream: StreamId;
    thread: ThreadId;
    /**
     * The people and agents whose messages are in the batch, and who began the chain: rule 11 asks for the grant of each. Null stands
     * for an Event that no Worker wrote (a feed, a timer): nobody answers for it. Empty: nobody is known, which is no better.
     */
    behalf: (WorkerId | null)[];
    /** Who reads the answer: rule 12 lets a tool show only what each of them may read. Includes the Worker itself never. */
    readers: WorkerId[];
    /** The tools that it held when it was briefed: what tools/list shows. A call asks afresh. */
    granted?: readonly string[];
    hops: number;
    origin: EventId;
  };
  /** Aborted when the caller goes away or the Activation ends. */
  signal: AbortSignal;
  /** Tells a caller that asked to be told what a long call is doing now. */
  progress?: (message: string) => void;
}

/** One MCP tool. One file each. */
export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  readonly name: ToolName;
  readonly description: string;
  readonly input: Input;
  /** May be called again when it is unknown whether it ran. */
  readonly idempotent: boolean;
  /** Only looks: no change anywhere. */
  readonly readOnly: boolean;
  /** Changes the organisation, sources or limits: during an Activation every person on whose behalf it runs needs the grant too (rule 11). */
  readonly changesOrganisation: boolean;
  /**
   * Shows what a Grant alone decides about (Roles, Positions, Grants): during an Activation everybody who reads the answer needs the
   * grant too (rule 12). False for tools that ask row by row who may see what.
   */
  readonly readersNeedGrant: boolean;
  /** Once it has succeeded the Activation is over: there is nothing to do until somebody answers. */
  readonly endsActivation?: true;
  /** The result, as JSON for the model; a {@link Picture} in it is shown beside it. Throws SwitchboardError for what the caller can mend. */
  run(context: ToolContext, input: z.output<Input>): Promise<Record<string, unknown> & { picture?: Picture }>;
}

/** A tool with the type of its input kept for `run`. */
export function defineTool<Input extends z.ZodObject>(tool: Tool<Input>): Tool<Input> {
  return tool;
}
