import { ControlledError } from '../desktop/control-lease.ts';
import type { Desktop } from '../desktop/desktop.ts';
import { DriverError } from '../drivers/driver.ts';
import { InputRefusedError, NothingRecordedError } from '../stream/streamer.ts';
import type { ChannelRequest, channelErrorCodes } from './messages.ts';

/** What a request came to: `result` as JSON, and at most one binary part. */
export interface Answer {
  result: Record<string, unknown>;
  data?: Buffer;
}

/** Why nothing came of it, in the words of the channel. */
export interface Refusal {
  code: (typeof channelErrorCodes)[number];
  message: string;
}

/**
 * Does what the core asks of a Desktop. What each `result` holds:
 *
 * | method | result | binary |
 * |---|---|---|
 * | still | `serial`, `width`, `height`, `format` | the picture; none when `unless` is still its serial |
 * | run | `exitCode`, `stdout`, `stderr`, `truncated`, `timedOut` | |
 * | read_file | `size` of the whole file, in bytes | the part asked for |
 * | resize | `width`, `height` | |
 * | clip | | an MP4 file |
 * | act, open_url, write_file | | |
 *
 * @param content what came with `write_file`
 * @param signal aborted when nobody waits for the answer any more
 * @throws what {@link refusalOf} puts in words
 */
export async function answerRequest(
  desktop: Desktop,
  request: ChannelRequest,
  content: Buffer | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  switch (request.method) {
    case 'still': {
      const { format, quality, width, unless } = request;
      const { data, ...about } = await desktop.still({ format, quality, width, unless });
      return { result: { ...about, format }, data };
    }
    case 'act':
      await desktop.act(request.steps);
      return { result: {} };
    case 'open_url':
      await desktop.openUrl(request.url);
      return { result: {} };
    case 'run': {
      const { command, timeoutMs, outputBytes } = request;
      return { result: { ...(await desktop.run({ command, timeoutMs, outputBytes, signal })) } };
    }
    case 'read_file': {
      const { data, size } = await desktop.readFile(request.path, request.offset, request.limit);
      return { result: { size }, data };
    }
    case 'write_file':
      await desktop.writeFile(request.path, content ?? Buffer.alloc(0));
      return { result: {} };
    case 'resize':
      await desktop.resize(request.width, request.height);
      return { result: { width: desktop.width, height: desktop.height } };
    case 'clip':
      return { result: {}, data: await desktop.clip(request.seconds) };
  }
}

/** The code and the sentence for what was thrown; `undefined` for a defect, whose text is for the log alone. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof ControlledError) return { code: 'controlled', message: error.message };
  if (error instanceof InputRefusedError || error instanceof NothingRecordedError || error instanceof DriverError)
    return { code: 'refused', message: error.message };
  return undefined;
}
