import { createInterface } from 'node:readline';
import { InvalidInputError, UnavailableError } from '../../../core/errors.ts';
import type { Accepted, EventFrame } from '../wire.ts';
import type { Connection } from './connection.ts';
import { Conversation } from './conversation.ts';
import { neutralise, neutraliseLine } from './neutralise.ts';
import { isNew, whyUnheard } from './own-words.ts';
import { shownBody } from './shown-body.ts';

/** A core that is away for longer has gone, as far as a program that waits for its answers is concerned. */
const awayAtMostMs = 60_000;

/** Where lines come from and replies go to. */
export interface Pipes {
  input: NodeJS.ReadableStream;
  /** Replies, and nothing else. */
  output: NodeJS.WritableStream;
  /** Everything else. */
  notes: NodeJS.WritableStream;
}

/**
 * The chat without a screen: each line of the input is a message, sent when all work on the one before has ended, and what is
 * replied goes to the output. Ends with the input, after the last reply.
 *
 * @param interrupted aborted by Ctrl-C: the agent is stopped too
 * @returns the exit code: 1 when a message was refused or could not be answered, 130 when interrupted
 * @throws SwitchboardError in one sentence when the core is away for a minute, or does not let us follow the Thread
 */
export async function pipedChat(
  connection: Connection,
  place: { stream?: string | undefined; thread?: string | undefined },
  pipes: Pipes,
  interrupted: AbortSignal,
): Promise<number> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  let away: NodeJS.Timeout | undefined;
  let exitCode = 0;
  let waitsFor: string | undefined;

  const note = (text: string) => pipes.notes.write(`${neutraliseLine(text)}\n`);
  const conversation = new Conversation(connection, place, {
    said(event, answers) {
      if (isReply(event, answers)) pipes.output.write(`${neutralise(shownBody(event))}\n`);
      else note(shownBody(event));
    },
    changed() {
      const reason = conversation.waitsFor;
      if (reason && reason !== waitsFor) note(reason);
      waitsFor = reason;
    },
    connected(is) {
      clearTimeout(away);
      if (is) return;
      note(`the connection to ${connection.url} was lost: trying again`);
      away = setTimeout(
        () => fail(new UnavailableError(`no core answers at ${connection.url} any more`)),
        awayAtMostMs,
      );
    },
    refused: (error) => fail(new InvalidInputError(error.message)),
  });

  async function say(line: string): Promise<void> {
    let message: Accepted;
    try {
      message = await conversation.send(line);
    } catch (error) {
      exitCode = 1;
      note(`not sent: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    const unheard = whyUnheard(message);
    if (unheard) note(unheard);
    await conversation.settled(message);
    if (conversation.isDead(message)) exitCode = 1;
  }

  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const interrupt = () =>
    void conversation
      .stopWork()
      .catch(() => undefined)
      .finally(stop);
  interrupted.addEventListener('abort', interrupt, { once: true });
  const lines = createInterface({ input: pipes.input, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    const all = (async () => {
      for await (const line of lines) {
        if (interrupted.aborted) return;
        if (isNew(line)) conversation.begin();
        else if (line.trim() !== '') await say(line);
      }
    })();
    await Promise.race([all, failed, stopped]);
  } finally {
    clearTimeout(away);
    interrupted.removeEventListener('abort', interrupt);
    conversation.close();
    lines.close();
  }
  return interrupted.aborted ? 130 : exitCode;
}

/** The core's own words are a reply when they answer a message of ours. */
function isReply(event: EventFrame, answers: boolean): boolean {
  return event.sourceKind !== 'notice' || answers;
}
