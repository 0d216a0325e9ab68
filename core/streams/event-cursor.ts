import { z } from 'zod';
import { InvalidInputError } from '../errors.ts';
import type { EventId } from '../store/ids.ts';

/** The last position seen (or the first, going back) in each Stream. A Stream that is missing has not been read at all. */
export type Positions = Readonly<Record<string, number>>;

/**
 * Where reading goes on. There is a position for each Stream, because positions of different Streams commit in no order among each
 * other: one number or time for all would skip what was committed late.
 */
export type EventCursor =
  /** What came after these positions, oldest first. */
  | { kind: 'after'; positions: Positions }
  /** The page before these positions. */
  | { kind: 'before'; positions: Positions }
  /** The rest of one long Event, from this character on. */
  | { kind: 'rest'; event: EventId; offset: number };

/** From the first Event on. */
export const beginning: EventCursor = { kind: 'after', positions: {} };

const position = z.int().min(0).max(2_147_483_647);
const positions = z.record(z.string(), position);
const encoded = z.union([
  z.tuple([z.literal('a'), positions]),
  z.tuple([z.literal('b'), positions]),
  z.tuple([z.literal('r'), z.string().startsWith('e-'), position]),
]);

/** The cursor as the opaque text that callers hand back. It holds no secret: what it points to is checked at each reading. */
export function encodeCursor(cursor: EventCursor): string {
  const value: z.input<typeof encoded> =
    cursor.kind === 'rest'
      ? ['r', cursor.event, cursor.offset]
      : [cursor.kind === 'after' ? 'a' : 'b', cursor.positions];
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/**
 * @throws InvalidInputError when the text was not made by {@link encodeCursor}.
 */
export function decodeCursor(text: string): EventCursor {
  const parsed = encoded.safeParse(jsonOf(Buffer.from(text, 'base64url').toString()));
  if (!parsed.success)
    throw new InvalidInputError(
      `${JSON.stringify(text)} is no cursor: say the "cursor", "earlier" or "rest" of an earlier answer, "beginning", or leave it out for the newest`,
    );
  const [kind, first, offset] = parsed.data;
  if (kind === 'r') return { kind: 'rest', event: first as EventId, offset: offset ?? 0 };
  return { kind: kind === 'a' ? 'after' : 'before', positions: first };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
