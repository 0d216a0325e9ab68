import { expect, it } from 'vitest';
import type { Connection } from './connection.ts';
import { Conversation } from './conversation.ts';

const answer = { event: 'e-1', thread: 't-1', position: 1, upTo: 1 };
const listener = { said() {}, changed() {}, connected() {}, refused() {} };

it('stops whoever will work by a message that is still on its way', async () => {
  const posted: string[] = [];
  const taken = Promise.withResolvers<typeof answer>();
  const connection = {
    url: 'http://core.example',
    post: (path: string) => {
      posted.push(path);
      return path === '/terminal/messages' ? taken.promise : Promise.resolve(answer);
    },
    stream: () => new Promise(() => undefined),
  } as unknown as Connection;
  const conversation = new Conversation(connection, {}, listener);
  const sent = conversation.send('work');
  const stopped = conversation.stopWork();
  conversation.close();
  taken.resolve(answer);
  await Promise.all([sent, stopped]);
  expect(posted).toEqual(['/terminal/messages', '/terminal/threads/t-1/stop']);
});
