import { z } from 'zod';
import { BadFrameError, type ViewerMessage } from '../protocol.ts';

/** More than any message needs but a clipboard's text, which has 1 MiB at most. */
export const messageBytesAtMost = 2 * 1024 * 1024;

const pixels = z.number().int().min(1).max(65535);

/** What a page may say. Anybody who holds a link can write to this, so that everything is checked. */
const viewerMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('auth'), token: z.string() }),
  z.object({ type: z.literal('ping'), t: z.number() }),
  z.object({ type: z.literal('set_video_enabled'), enabled: z.boolean() }),
  z.object({ type: z.literal('set_sound_enabled'), enabled: z.boolean() }),
  z.object({ type: z.literal('request_control') }),
  z.object({ type: z.literal('release_control') }),
  z.object({ type: z.literal('resize'), width: pixels, height: pixels }),
  z.object({ type: z.literal('clipboard'), text: z.string() }),
]) satisfies z.ZodType<ViewerMessage>;

/**
 * Reads a text frame of a viewer.
 *
 * @throws BadFrameError, without what it said: that may be a token or a copied text
 */
export function readViewerMessage(text: string): ViewerMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadFrameError('it is no JSON');
  }
  const read = viewerMessage.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new BadFrameError(issue ? `${issue.path.join('.') || 'it'}: ${issue.message}` : 'it has the wrong shape');
}
