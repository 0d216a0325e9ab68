import { z } from 'zod';

const pixel = z.number().int().min(0).max(65535);

/** One thing that an agent does on the screen, as it comes from the core. Positions are pixels of the screen. */
export const agentStep = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('click'),
    x: pixel,
    y: pixel,
    button: z.enum(['left', 'middle', 'right']),
    count: z.number().int().min(1).max(3),
  }),
  z.object({ do: z.literal('move'), x: pixel, y: pixel }),
  z.object({ do: z.literal('drag'), fromX: pixel, fromY: pixel, toX: pixel, toY: pixel }),
  z.object({ do: z.literal('type'), text: z.string().max(20_000) }),
  /** Keysym names with `+` between: `ctrl+l`, `Return`, `alt+Tab`. */
  z.object({ do: z.literal('key'), keys: z.string().min(1).max(100) }),
  /** In notches of a wheel; positive is down and right. */
  z.object({ do: z.literal('scroll'), x: pixel, y: pixel, dx: z.number().int(), dy: z.number().int() }),
]);
export type AgentStep = z.output<typeof agentStep>;
