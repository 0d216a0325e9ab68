import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { type Supervised, superviseSandbox } from './supervised-sandbox.ts';

/** A supervisor whose words are a test's: programs inside may speak for it. */
async function supervisor() {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const say = (message: unknown) => void stdout.write(`${JSON.stringify(message)}\n`);
  const supervised = superviseSandbox({ stdin, stdout, ended: new Promise(() => undefined) });
  say({ type: 'ready', display: 0 });
  return { supervised: await supervised, stdin, say };
}

const ask = (sandbox: Supervised, command = 'true') => sandbox.run({ command, timeoutMs: 1000, outputBytes: 10 });

it('is ended when it answers what nobody has asked, so that a flood of answers does not hold up the host', async () => {
  const { supervised, say } = await supervisor();
  say({ type: 'done', id: 7, result: null });
  expect(await supervised.ended).toContain('answered what nobody has asked');
});

it('is ended when it is ready a second time', async () => {
  const { supervised, say } = await supervisor();
  say({ type: 'ready', display: 0 });
  expect(await supervised.ended).toContain('answered what nobody has asked');
});

it('gives no more output than was asked for, whatever it says', async () => {
  const { supervised, stdin, say } = await supervisor();
  const answer = ask(supervised);
  const [line] = await once(stdin, 'data');
  const output = Buffer.from('0123456789 and more').toString('base64');
  const result = { exitCode: 0, stdout: output, stderr: output, truncated: false, timedOut: false };
  say({ type: 'done', id: JSON.parse(String(line)).id, result });
  expect(await answer).toMatchObject({ stdout: '0123456789', stderr: '0123456789' });
});

it('is asked nothing more once it has stopped reading', async () => {
  const { supervised } = await supervisor();
  const files = [1, 2, 3].map(() => supervised.writeFile('big', Buffer.alloc(8_000_000)));
  for (const file of files) file.catch(() => undefined);
  await expect(supervised.writeFile('one more', Buffer.alloc(8_000_000))).rejects.toThrow('does not answer');
  await supervised.leave('the test is over');
});
