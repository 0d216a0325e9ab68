import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** A hand-led SMTP dialogue, for what no mail client does. */
export interface SmtpDialogue {
  /** Sends a command (or text with CRLF in it) and gives the last line of the answer. */
  say(text: string): Promise<string>;
  /** The last line of the next answer. */
  answer(): Promise<string>;
  close(): void;
}

/** Connects to 127.0.0.1 and takes the greeting. */
export async function openDialogue(port: number): Promise<SmtpDialogue> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  const answer = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return 'closed';
      if (!/^\d{3}-/.test(value)) return String(value);
    }
  };
  await answer();
  return {
    answer,
    say: async (text) => {
      socket.write(`${text}\r\n`);
      return await answer();
    },
    close: () => socket.destroy(),
  };
}
