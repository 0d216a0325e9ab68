import { describe, expect, it } from 'vitest';
import { hasXvfb, startTestXServer } from '../testing/x-server.ts';
import { connectX, XLostError, XRequestError } from './connect.ts';

describe.skipIf(!hasXvfb)('a connection to an X server (needs Xvfb)', () => {
  it('is made with the socket and the cookie that are given, and can pass file descriptors', async () => {
    await using server = await startTestXServer({ width: 800, height: 600 });
    await using x = await connectX(server.display);

    expect(x.passesDescriptors).toBe(true);
    expect([x.screen.pixel_width, x.screen.pixel_height]).toEqual([800, 600]);
    const pointer = await x.ask<{ rootX: number }>((reply) => x.client.QueryPointer(x.root, reply));
    expect(pointer.rootX).toBe(400);
  });

  it('is refused with a wrong cookie, without saying the cookie', async () => {
    await using server = await startTestXServer({ width: 320, height: 240 });
    const wrong = 'ab'.repeat(16);

    const refused = await connectX({ ...server.display, cookie: wrong }).catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(XLostError);
    expect(String(refused)).toContain('Invalid MIT-MAGIC-COOKIE-1 key');
    expect(String(refused)).not.toContain(wrong);
  });

  it('says which socket has no server behind it', async () => {
    await expect(connectX({ socketPath: '/nonexistent/X7', cookie: '00' })).rejects.toThrow(
      /X server at \/nonexistent\/X7 cannot be reached/,
    );
  });

  it('tells whoever asked that the server has refused', async () => {
    await using server = await startTestXServer({ width: 320, height: 240 });
    await using x = await connectX(server.display);

    const refused = await x
      .ask<void>((reply) => x.client.DestroyWindow(0x123456, reply))
      .catch((error: unknown) => error);

    expect(refused).toBeInstanceOf(XRequestError);
    expect(refused).toMatchObject({ code: 3 });
    await x.settled();
  });

  it('ends when the server refuses what nobody waits for', async () => {
    await using server = await startTestXServer({ width: 320, height: 240 });
    await using x = await connectX(server.display);

    x.xtest.FakeInput(99, 0, 0, x.root, 0, 0);

    await expect(x.lost).resolves.toMatchObject({ message: expect.stringContaining('refused request') });
    await expect(x.settled()).rejects.toThrow(XLostError);
  });

  it('fails every open request when the server dies, and those that come later', async () => {
    await using server = await startTestXServer({ width: 320, height: 240 });
    await using x = await connectX(server.display);
    process.kill(server.pid, 'SIGSTOP');
    const open = x.settled();
    const failed = expect(open).rejects.toThrow(/has closed the connection/);

    await server.kill();

    await failed;
    await expect(x.lost).resolves.toBeInstanceOf(XLostError);
    await expect(x.settled()).rejects.toThrow(XLostError);
  });

  it('is not lost when it was closed, and does not wait for a server that hangs', async () => {
    await using server = await startTestXServer({ width: 320, height: 240 });
    const x = await connectX(server.display);
    let wasLost = false;
    void x.lost.then(() => {
      wasLost = true;
    });
    process.kill(server.pid, 'SIGSTOP');

    await x.close();

    process.kill(server.pid, 'SIGCONT');
    expect(wasLost).toBe(false);
    await expect(x.settled()).rejects.toThrow(/was closed/);
  });
});
