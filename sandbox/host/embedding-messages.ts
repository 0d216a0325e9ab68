import { z } from 'zod';

/**
 * What a core that runs a host beside itself and that host say to each other over the channel of child processes (IPC): no argument and
 * no environment variable holds the token, so that what the host starts does not inherit it.
 */

/** Core → host, once. Texts as one would write them in the environment. */
export const handedOver = z.object({ settings: z.record(z.string(), z.string()) });
export type HandedOver = z.output<typeof handedOver>;

/** Host → core, once it has dialled: a line for people. */
export const hostStarted = z.object({ works: z.boolean(), line: z.string() });
export type HostStarted = z.output<typeof hostStarted>;
