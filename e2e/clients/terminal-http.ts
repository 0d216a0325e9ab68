import { accepted, frame } from '../../bots/terminal/wire.ts';

/** What a person types into the terminal. `id` is the client's own name for it; without a thread it begins one. */
export type TerminalMessage = { id: string; body: string; thread?: string | undefined };

/** The terminal door of a core, over HTTP, without the program that `npm run chat` starts. */
export type TerminalClient = {
  /** Says something, reads along until nobody works on it any more, and gives the thread. Throws an Error after 60 s. */
  ask(message: TerminalMessage): Promise<string>;
};

/** A client with the bearer token of a person (`npx switchboard token w-owner`). */
export function terminalClient(url: string, token: string): TerminalClient {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return {
    ask: async (message) => {
      const signal = AbortSignal.timeout(60_000);
      const posted = await fetch(`${url}/terminal/messages`, {
        method: 'POST',
        headers,
        body: JSON.stringify(message),
        signal,
      });
      if (posted.status !== 200) throw new Error(`the terminal answers ${posted.status}: ${await posted.text()}`);
      const { thread, position } = accepted.parse(await posted.json());
      const stream = await fetch(`${url}/terminal/threads/${thread}/events?since=${position}`, { headers, signal });
      if (stream.status !== 200 || !stream.body) throw new Error(`the terminal's stream answers ${stream.status}`);
      await untilNobodyWorks(stream.body, position);
      return thread;
    },
  };
}

/** Reads Server-Sent Events until everything up to `position` has been seen to. Leaving the loop ends the stream. */
async function untilNobodyWorks(body: ReadableStream<Uint8Array>, position: number): Promise<void> {
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split('\n\n');
    rest = frames.pop() ?? '';
    for (const each of frames) {
      if (!each.startsWith('data: ')) continue;
      const seen = frame.parse(JSON.parse(each.slice('data: '.length)));
      if (seen.kind === 'work' && seen.upTo >= position && seen.working.length === 0) return;
    }
  }
  throw new Error("the terminal's stream ended before the reply was there");
}
