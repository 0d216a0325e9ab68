import type { WebClient } from '@slack/web-api';
import { ConfigurationError } from '../../core/errors.ts';
import type { Log } from '../../core/log/log.ts';
import { identifyWorkspace, type Workspace } from './identify-workspace.ts';

/** How a start asks Slack whose token it has. */
export interface Reaching {
  /** Slack's answer at the start; undefined: it does not answer, and is asked again until it does. */
  workspace: Workspace | undefined;
  /** Why it does not answer. */
  reason: string | undefined;
  stop(): void;
}

const firstDelayMs = 1000;
const longestDelayMs = 30_000;

/**
 * Learns the token's workspace. When Slack is away the rest of the house starts without it, and `reached` is called once it is
 * back.
 *
 * @throws ConfigurationError when Slack refuses the token at the start. Later it is an error in the log, and asked again: other doors
 * are open by then.
 */
export async function reachSlack(
  client: WebClient,
  log: Log,
  reached: (workspace: Workspace) => Promise<void>,
): Promise<Reaching> {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function again(delayMs: number): void {
    if (stopped) return;
    timer = setTimeout(async () => {
      try {
        await reached(await identifyWorkspace(client));
        log.info('Slack answers now');
      } catch (error) {
        log.error({ err: error }, 'Slack is still not reached: its events are answered 503 until it is');
        again(Math.min(delayMs * 2, longestDelayMs));
      }
    }, delayMs);
  }

  const stop = () => {
    stopped = true;
    clearTimeout(timer);
  };
  try {
    const workspace = await identifyWorkspace(client);
    await reached(workspace);
    return { workspace, reason: undefined, stop };
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    again(firstDelayMs);
    return { workspace: undefined, reason: error instanceof Error ? error.message : String(error), stop };
  }
}
