import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test as testAnywhere } from 'vitest';
import { openHouse } from './house.ts';
import { findDatabaseProcesses, findDescendants, isRunning } from './process-tree.ts';

// Elsewhere there is no /proc to see processes by.
const test = testAnywhere.skipIf(process.platform !== 'linux');
const ms = 60_000;

test('the first start says within one screen how to talk to it, and answers its three pages', {
  timeout: ms,
}, async () => {
  await using house = await openHouse();
  const core = await house.start();
  await expect.poll(core.stdout).toContain('\n\n');
  const screen = core.stdout();
  expect(screen.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
  expect(Math.max(...screen.split('\n').map((line) => line.length))).toBeLessThanOrEqual(160);
  for (const said of [
    'npm run chat',
    `assistant@localhost`,
    `127.0.0.1:${core.smtpPort}`,
    `http://localhost:${core.port}/workers/w-owner/mcp`,
    'npx switchboard token w-owner',
    'npx switchboard config set MODEL',
  ])
    expect(screen).toContain(said);
  expect(screen).toMatch(/\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b/);

  const pages = ['/healthz', '/readyz', '/metrics'].map((path) => fetch(`${core.url}${path}`));
  expect((await Promise.all(pages)).map((page) => page.status)).toEqual([200, 200, 200]);
  expect((await fetch(`${core.url}/metrics`, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(403);
});

test('stops on SIGTERM, the database last, and the second start finds everything', { timeout: ms }, async () => {
  await using house = await openHouse();
  const first = await house.start();
  await house.send({ from: 'ada@example.com', text: 'The harbour opens at six.' });
  const everything = [first.pid, ...findDescendants(first.pid)];
  expect(everything.length).toBeGreaterThan(3);
  const began = performance.now();
  expect(await first.stop(25_000)).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(everything.filter(isRunning)).toEqual([]);
  // Whoever still used the database when it stopped would have said so.
  expect(first.stderr()).not.toMatch(/"level":"(error|fatal)"/);

  const second = await house.start();
  await expect.poll(second.stdout).toContain('is ready');
  expect(second.stdout()).not.toContain('Pairing');
  expect(
    await house.query(`select 1 from event where body like '%harbour opens at six%' and author <> 'w-assistant'`),
  ).toHaveLength(1);
});

test('after a SIGKILL of everything, or of the core alone, the next start just works', { timeout: ms }, async () => {
  await using house = await openHouse();
  const first = await house.start();
  await house.send({ from: 'ada@example.com', text: 'The harbour opens at six.' });
  await first.killEverything();
  expect(findDatabaseProcesses(house.dataDirectory)).toEqual([]);

  const second = await house.start();
  await house.send({ from: 'ben@example.com', text: 'The mill closes at nine.' });
  second.kill('SIGKILL');
  await second.exited;
  const orphan = findDatabaseProcesses(house.dataDirectory);
  expect(orphan.length).toBeGreaterThan(0);

  const third = await house.start();
  const kept = await house.query<{ author: string }>(
    `select author from event where source_kind = 'human' order by position`,
  );
  expect(new Set(kept.map((row) => row.author)).size).toBe(2);
  expect(await third.stop()).toEqual({ code: 0, signal: null });
  expect(orphan.filter(isRunning)).toEqual([]);
});

test('a .env beside it counts, and the environment counts more', { timeout: ms }, async () => {
  await using house = await openHouse();
  await writeFile(
    join(house.dataDirectory, '.env'),
    'MAIL_DOMAIN=desk.example\nPUBLIC_URL=https://from.file.example\n',
  );
  const core = await house.start();
  await expect.poll(core.stdout).toContain('assistant@desk.example');
  expect(core.stdout()).toContain(`http://localhost:${core.port}/workers`);
});
