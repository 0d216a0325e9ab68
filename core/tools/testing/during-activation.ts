import type { Core } from '../../core.ts';
import { defaultOrganisation } from '../../organisation/seed.ts';
import type { ThreadId, WorkerId } from '../../store/ids.ts';
import { callTool } from '../call-tool.ts';
import type { ToolContext } from '../tool.ts';

/** A call of a tool by Assistant while it runs: who made it run, and who reads its answer. */
export async function callDuringActivation(
  core: Core,
  about: { behalf: (WorkerId | null)[]; readers?: WorkerId[]; worker?: WorkerId; hops?: number; thread?: ThreadId },
  tool: string,
  input: unknown = {},
): Promise<Record<string, unknown>> {
  const context: ToolContext = {
    core,
    organisation: defaultOrganisation,
    worker: about.worker ?? 'w-assistant',
    activation: {
      id: 'a-test',
      stream: 's-general',
      thread: about.thread ?? 't-test',
      behalf: about.behalf,
      readers: about.readers ?? about.behalf.filter((worker) => worker !== null),
      hops: about.hops ?? 1,
      origin: 'e-test',
    },
    signal: new AbortController().signal,
  };
  return await callTool(context, tool, input);
}
