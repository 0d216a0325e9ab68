import { afterEach, describe, expect, it } from 'vitest';
import { type Desktop, getDesktop } from '../../core/desktops/desktop.ts';
import { storeFile } from '../../core/desktops/files.ts';
import { postDesktop } from '../../core/desktops/post-desktop.ts';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import { defaultOrganisation, ownerWorker } from '../../core/organisation/seed.ts';
import type { StreamId, ThreadId } from '../../core/store/ids.ts';
import { append } from '../../core/streams/append.ts';
import { startPiped } from './testing/chat-program.ts';
import { type HouseCore, openTerminalHouse, type TerminalHouse } from './testing/terminal-house.ts';
import { type Watcher, watch } from './testing/watcher.ts';

const cleanups: (() => PromiseLike<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(): Promise<{ house: TerminalHouse; core: HouseCore; thread: ThreadId; desktop: Desktop }> {
  const house = await openTerminalHouse();
  cleanups.push(() => house[Symbol.asyncDispose]());
  const core = await house.add(async () => 'NO_REPLY');
  const { body } = await core.post('/terminal/messages', { id: 'message-1', body: 'hello' });
  const thread = body.thread as ThreadId;
  const { database } = core.core;
  // As a Host reports it; none is needed for its links.
  await database.query(
    `insert into desktop (organisation, id, worker, thread, home, desired, state, generation, width, height)
     values ('default', 'd-1', 'w-assistant', $1, 'd-1', 'running', 'running', 1, 1920, 1080)`,
    [thread],
  );
  const desktop = await getDesktop(database, defaultOrganisation, 'd-1');
  return { house, core, thread, desktop };
}

async function watched(core: HouseCore, token: string, thread: string): Promise<Watcher> {
  const watcher = await watch(core, token, thread);
  cleanups.push(() => watcher[Symbol.asyncDispose]());
  return watcher;
}

const shownIn = (watcher: Watcher) => watcher.events().flatMap(({ desktop }) => desktop ?? []);
const linksIn = (text = '') => text.match(/http:\/\/localhost:8080\/d\/d-1#\S+/g) ?? [];
const modeOf = (link = '') =>
  (JSON.parse(Buffer.from(link.split('.')[1] ?? '', 'base64url').toString()) as { mode: string }).mode;

describe('a desktop in the terminal', () => {
  it('is told with links of the reader’s own, the one to control first, to each who looks and anew', async () => {
    const { house, core, thread, desktop } = await open();
    await postDesktop(core.core, desktop, thread, 'Assistant’s desktop');
    const [first, again] = [await watched(core, house.ticket(), thread), await watched(core, house.ticket(), thread)];
    const links: string[] = [];
    for (const watcher of [first, again]) {
      const [shown, ...more] = await eventually(async () => shownIn(watcher).length > 0 && shownIn(watcher));
      expect(more).toEqual([]);
      expect(linksIn(shown).map(modeOf)).toEqual(['control', 'watch']);
      links.push(...linksIn(shown));
    }
    expect(new Set(links).size).toBe(4);
    const stored = await core.core.database.query('select body, extra::text from event where thread = $1', [thread]);
    expect(JSON.stringify(stored)).not.toContain('#ey');
  });

  it('has no link to control for who may not control, and none at all a day later or once it has stopped', async () => {
    const { house, core, thread, desktop } = await open();
    const { database } = core.core;
    await database.query(`delete from "grant" where worker = $1 and tool = 'control_desktop'`, [ownerWorker]);
    await postDesktop(core.core, desktop, thread, 'Assistant’s desktop');
    const watching = await watched(core, house.ticket(), thread);
    const [shown] = await eventually(async () => shownIn(watching).length > 0 && shownIn(watching));
    expect(linksIn(shown).map(modeOf)).toEqual(['watch']);

    await database.query(`update desktop set desired = 'stopped', state = 'stopped'`);
    const stopped = await watched(core, house.ticket(), thread);
    const [note] = await eventually(async () => shownIn(stopped).length > 0 && shownIn(stopped));
    expect(note).toMatch(/It has stopped/);
    expect(linksIn(note)).toEqual([]);

    await database.query(`update event set created_at = created_at - interval '25 hours'`);
    const late = await watched(core, house.ticket(), thread);
    await eventually(async () => late.bodies().includes('Assistant’s desktop'));
    expect(shownIn(late)).toEqual([]);
  });

  it('is printed below the answer to `control`, which is this person’s alone', async () => {
    const { core, thread } = await open();
    const chat = startPiped({ ...core, args: ['--thread', thread] });
    cleanups.push(() => chat[Symbol.asyncDispose]());
    chat.write('control\n');
    chat.end();
    expect([await chat.exited, chat.stderr()]).toEqual([0, '']);
    const [answer = '', ...below] = chat.stdout().trim().split('\n');
    expect(answer).toMatch(/take over/i);
    expect(linksIn(below.join('\n')).map(modeOf)).toEqual(['control', 'watch']);
  });
});

describe('a file in the terminal', () => {
  it('has a link, made anew for each who looks, as long as it is kept', async () => {
    const { house, core, thread } = await open();
    const { database } = core.core;
    const film = { name: 'assistant-30s.mp4', type: 'video/mp4', data: Buffer.from('film') };
    const attachment = await storeFile(core.core, defaultOrganisation, thread, film);
    const [place] = await database.query<{ stream: StreamId }>('select stream from thread where id = $1', [thread]);
    await append(core.core, {
      organisation: defaultOrganisation,
      stream: place?.stream ?? 's-none',
      thread,
      author: null,
      sourceKind: 'notice',
      message: { body: 'The last 30 seconds.', attachments: [attachment] },
    });
    const shownTo = async () => {
      const watcher = await watched(core, house.ticket(), thread);
      await eventually(async () => watcher.bodies().includes('The last 30 seconds.'));
      return watcher.events().flatMap(({ files }) => files ?? []);
    };
    const [shown = '', ...more] = await shownTo();
    expect(more).toEqual([]);
    expect(shown).toMatch(/^assistant-30s\.mp4 \(24 hours at most\):\nhttp:\/\/localhost:8080\/f\/f-\w+#ey\S+$/);

    await database.query('update file set expires_at = now()');
    expect(await shownTo()).toEqual([]);
  });
});
