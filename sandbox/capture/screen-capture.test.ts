import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPainter, type Painter } from '../testing/painter.ts';
import { hasXvfb, startTestXServer, type TestXServer } from '../testing/x-server.ts';
import { connectX, type XConnection } from '../x11/connect.ts';
import { captureScreen, type GrabMethod, type ScreenCapture } from './screen-capture.ts';

const size = { width: 640, height: 480 };

describe.skipIf(!hasXvfb).each<GrabMethod>(['auto', 'core'])('a captured screen, grabbed by %s', (method) => {
  let server: TestXServer;
  let connection: XConnection;
  let painter: Painter;
  let capture: ScreenCapture;
  let damages: number;
  let sizes: string[];

  beforeAll(async () => {
    server = await startTestXServer(size);
    connection = await connectX(server.display);
    painter = await createPainter(server.display);
    damages = 0;
    sizes = [];
    capture = await captureScreen(
      connection,
      {
        damaged: () => {
          damages += 1;
        },
        resized: ({ width, height }) => {
          sizes.push(`${width}x${height}`);
        },
      },
      method,
    );
  });

  it('takes no memory for a screen that no Desktop has, whatever its X server says', async () => {
    const client = Object.create(connection.client);
    client.GetGeometry = (_: number, reply: (error: null, size: object) => void) =>
      reply(null, { width: 65535, height: 65535 });
    const nobody = { damaged: () => undefined, resized: () => undefined };
    await expect(captureScreen({ ...connection, client }, nobody, method)).rejects.toThrow('65535×65535');
  });

  afterAll(async () => {
    capture.close();
    await painter.close();
    await connection.close();
    await server[Symbol.asyncDispose]();
  });

  function pixelAt(x: number, y: number): string {
    const at = (y * capture.size.width + x) * 4;
    return capture.pixels
      .subarray(at, at + 3)
      .reverse()
      .toString('hex');
  }

  async function untilDamaged(): Promise<void> {
    while (!capture.isDamaged) await sleep(1);
  }

  it('is all new at first', async () => {
    await capture.refresh();
    expect(capture.takeChanged()).toEqual({
      bands: [{ top: 0, height: 480 }],
      box: { left: 0, top: 0, ...size },
    });
    expect(capture.takeChanged()).toEqual({ bands: [], box: null });
  });

  it('shows what is drawn, which rows it is in, and the box around it', async () => {
    await painter.fill({ x: 100, y: 200, width: 50, height: 50 }, 0xff2040);
    await untilDamaged();
    await capture.refresh();
    expect([pixelAt(100, 200), pixelAt(149, 249), pixelAt(150, 249)]).toEqual(['ff2040', 'ff2040', '000000']);
    expect(capture.takeChanged()).toEqual({
      bands: [{ top: 192, height: 64 }],
      box: { left: 100, top: 200, width: 50, height: 50 },
    });
  });

  it('has a greater serial after a change, and the same without one', async () => {
    await capture.refresh();
    const before = capture.serial;
    await capture.refresh();
    expect(capture.serial).toBe(before);
    await painter.fill({ x: 0, y: 0, width: 5, height: 5 }, 0x00ff00);
    await untilDamaged();
    await capture.refresh();
    expect(capture.serial).toBeGreaterThan(before);
  });

  it('loses no change that is made while it is being grabbed', async () => {
    for (let n = 1; n <= 60; n++) {
      await Promise.all([painter.fill({ x: 0, y: 0, width: 640, height: 480 }, n), capture.refresh()]);
    }
    await connection.settled();
    await capture.refresh();
    expect([pixelAt(0, 0), pixelAt(639, 479)]).toEqual(['00003c', '00003c']);
  });

  it('tells of damage once until it is grabbed', async () => {
    await connection.settled();
    await capture.refresh();
    const before = damages;
    for (let n = 0; n < 20; n++) await painter.fill({ x: n, y: 0, width: 5, height: 5 }, n);
    await untilDamaged();
    await connection.settled();
    expect(damages).toBe(before + 1);
    await capture.refresh();
  });

  it('asks the X server for nothing while nothing changes', async () => {
    await connection.settled();
    await capture.refresh();
    const before = connection.client.seq_num;
    await sleep(1000);
    expect(connection.client.seq_num).toBe(before);
    await capture.refresh();
    expect(connection.client.seq_num).toBe(before);
    await painter.fill({ x: 0, y: 0, width: 5, height: 5 }, 0x0000ff);
    await untilDamaged();
    await capture.refresh();
    expect(connection.client.seq_num).toBeGreaterThan(before);
  });

  it('follows the screen to another size and back, also while it is being grabbed', async () => {
    for (const [width, height] of [
      [320, 240],
      [400, 300],
      [640, 480],
    ] as const) {
      const resizing = painter.resizeScreen(width, height);
      await Promise.all([resizing, capture.refresh()]);
      while (capture.size.width !== width) await sleep(1);
      await painter.fill({ x: width - 10, y: height - 10, width: 10, height: 10 }, 0x123456);
      await connection.settled();
      await capture.refresh();
      expect(capture.pixels.byteLength).toBe(width * height * 4);
      expect(pixelAt(width - 1, height - 1)).toBe('123456');
      expect(capture.takeChanged().bands).toEqual([{ top: 0, height }]);
    }
    expect(sizes.at(-1)).toBe('640x480');
  });

  it('keeps no file open when it is closed', async () => {
    const files = () => readdirSync('/proc/self/fd').length;
    const listener = { damaged() {}, resized() {} };
    (await captureScreen(connection, listener, method)).close();
    await connection.settled();
    const before = files();
    for (let n = 0; n < 20; n++) {
      const another = await captureScreen(connection, listener, method);
      await another.refresh();
      another.close();
    }
    await connection.settled();
    expect(files()).toBeLessThanOrEqual(before);
  });
});
