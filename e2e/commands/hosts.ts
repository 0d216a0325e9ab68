import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, linksOf, pair, trustedRelay } from '../clients/desktop-mail.ts';
import { hasSwaks, SWAKS_INSTALL } from '../clients/swaks.ts';
import { type House, openHouse } from '../house.ts';
import { measuredRun, until } from '../measured-run.ts';
import { type SandboxHost, startSandboxHost } from '../sandbox-host.ts';

/*
 * Two sandbox hosts with their homes on shared storage; the one that runs the Desktops is killed while they are at work. The other takes
 * over, the threads are told, and the homes are as they were.
 */

const person = 'olga@example.com';
const desktops = 3;
/** Draws and computes all the time, so that the host is killed under load. */
const work = 'setsid xterm -e sh -c "while :; do date +%T.%N; done" >/dev/null 2>&1 &';

type Row = { id: string; host: string | null; state: string; generation: number };
const now = (house: House) => house.query<Row>('select id, host, state, generation from desktop order by id');

await measuredRun({ title: 'A sandbox host is killed under load', limitMinutes: 6 }, async (run) => {
  if (!(await hasSwaks())) throw new Error(`swaks is not installed; run: ${SWAKS_INSTALL}`);
  const token = randomBytes(24).toString('hex');
  const folder = await mkdtemp(join(tmpdir(), 'sb-hosts-'));
  run.defer(() => rm(folder, { recursive: true, force: true }));
  const house = await openHouse({ env: { ...trustedRelay, HOST_TOKEN: token } });
  run.defer(() => house[Symbol.asyncDispose]());
  const core = await house.start();
  const start = async (name: string): Promise<SandboxHost> => {
    await mkdir(join(folder, name));
    const homes = join(folder, 'homes');
    const host = startSandboxHost({ name, coreUrl: core.url, token, folder: join(folder, name), homes });
    run.defer(() => host.stop());
    const registered = await until(
      async () => (await house.query('select 1 from host where id like $1', [`%${name}%`]))[0],
      60_000,
    );
    if (!registered) throw new Error(`${name} did not register:\n${host.output()}`);
    return host;
  };

  const first = await start('first');
  await pair(house, person);
  const ids: string[] = [];
  const owner = await house.mcp('w-owner');
  for (let n = 1; n <= desktops; n += 1) {
    const [link] = linksOf(await ask(house, person, 'desktop'));
    const id = /\/d\/([^#/]+)/.exec(link ?? '')?.[1];
    if (!id) throw new Error('the answer has no link');
    ids.push(id);
    await owner.value('desktop_write_file', { desktop: id, path: 'kept.txt', content: `number ${n}` });
    await owner.value('desktop_run', { desktop: id, command: work });
  }
  const second = await start('second');
  run.say(`${desktops} Desktops at work on the first host; the second has none`);
  const mails = house.sink.messages().length;

  const left = await first.kill();
  const killed = performance.now();
  run.goal('processes of the killed host that are left after 2 s', left.length, '0', left.length === 0);
  const moved = await until(async () => {
    const rows = await now(house);
    return (
      rows.length === desktops && rows.every(({ state, generation }) => state === 'running' && generation === 2) && rows
    );
  }, 90_000);
  const seconds = (performance.now() - killed) / 1000 + 2;
  run.goal(
    'Desktops on the other host',
    moved ? `${moved.length} after ${seconds.toFixed(1)} s` : 'not all',
    `${desktops} within 60 s`,
    moved !== undefined && seconds <= 60,
  );
  const told = await until(() => {
    const since = house.sink.messages().slice(mails);
    return since.length >= desktops && since;
  }, 60_000);
  run.goal('threads that were told', told?.length ?? 0, `${desktops}`, told?.length === desktops);
  run.say(`as: ${JSON.stringify(told?.[0]?.text.split('\n')[0] ?? '')}`);
  let intact = 0;
  for (const [n, id] of ids.entries()) {
    const file = await owner.value('desktop_read_file', { desktop: id, path: 'kept.txt' });
    if (file.text === `number ${n + 1}`) intact += 1;
  }
  run.goal('home folders intact', intact, `${desktops}`, intact === desktops);
  await second.stop();
});
