import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureDesktop } from '../desktops/ensure-desktop.ts';
import { type DesktopHouse, openDesktopHouse } from '../desktops/testing/desktop-house.ts';
import { firstPicture, type StandInHost } from '../desktops/testing/stand-in-host.ts';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { openWorkerMcp } from '../mcp/open-worker-mcp.ts';
import { findOrMakeGuest } from '../organisation/identities.ts';
import type { ThreadId, WorkerId } from '../store/ids.ts';
import { callTool } from './call-tool.ts';
import { Picture } from './picture.ts';
import { callDuringActivation } from './testing/during-activation.ts';

let house: DesktopHouse;
let host: StandInHost;
let thread: ThreadId;
beforeAll(async () => {
  house = await openDesktopHouse();
  host = await house.addHost({ capacity: 20 });
  thread = await house.thread();
});
afterAll(() => house[Symbol.asyncDispose]());

const during = (tool: string, input: unknown = {}, behalf: WorkerId[] = ['w-owner'], readers?: WorkerId[]) =>
  callDuringActivation(house.core, { behalf, thread, ...(readers ? { readers } : {}) }, tool, input);

/** As a person's own client calls it. */
const asOwner = (tool: string, input: unknown = {}, worker: WorkerId = 'w-owner') =>
  callTool({ core: house.core, organisation: 'default', worker, signal: new AbortController().signal }, tool, input);

describe('an agent at work', () => {
  it('sees its own desktop, which is started when it is first needed', async () => {
    const { picture, ...seen } = await during('desktop_screenshot');
    expect(seen).toMatchObject({ width: 1280, height: 720 });
    expect(picture).toBeInstanceOf(Picture);
    expect((picture as Picture).data).toEqual(firstPicture);
    expect(host.requests.at(-1)).toMatchObject({ method: 'still', format: 'jpeg', quality: 60, width: 1280 });
    const rows = await house.core.database.query('select worker, thread from desktop');
    expect(rows).toEqual([{ worker: 'w-assistant', thread }]);
  });

  it('points at pixels of the picture, whatever the size of the screen', async () => {
    await during('desktop_click', { x: 640, y: '360', button: 'right' });
    expect(host.requests.at(-1)).toMatchObject({
      method: 'act',
      steps: [{ do: 'click', x: 960, y: 540, button: 'right', count: 1 }],
    });
    await during('desktop_scroll', { x: 1280, y: 720, dy: 3 });
    expect(host.requests.at(-1)).toMatchObject({ steps: [{ do: 'scroll', x: 1919, y: 1079, dx: 0, dy: 3 }] });
  });

  it('types, presses keys, opens addresses, runs commands', async () => {
    await during('desktop_type', { text: 'héllo 世界 🙂' });
    expect(host.requests.at(-1)).toMatchObject({ steps: [{ do: 'type', text: 'héllo 世界 🙂' }] });
    await during('desktop_key', { keys: 'ctrl+l' });
    expect(host.requests.at(-1)).toMatchObject({ steps: [{ do: 'key', keys: 'ctrl+l' }] });
    await during('desktop_open_url', { url: 'https://example.com/' });
    expect(host.requests.at(-1)).toMatchObject({ method: 'open_url', url: 'https://example.com/' });
    await expect(during('desktop_open_url', { url: 'file:///etc/passwd' })).rejects.toThrow('url');
    expect(await during('desktop_run', { command: 'ls', seconds: 5 })).toMatchObject({ exitCode: 0, stdout: 'ran ls' });
    expect(host.requests.at(-1)).toMatchObject({ method: 'run', timeoutMs: 5000 });
  });

  it('writes files and reads them, a page at a time, never half a character', async () => {
    let file = Buffer.alloc(0);
    host.answer('write_file', (_request, content = Buffer.alloc(0)) => {
      file = Buffer.from(content);
      return { result: {} };
    });
    host.answer('read_file', ({ offset, limit }) => {
      const from = Number(offset);
      return { result: { size: file.byteLength }, data: file.subarray(from, from + Number(limit)) };
    });
    expect(await during('desktop_write_file', { path: 'notes/a.txt', content: 'ähnlich' })).toEqual({
      path: 'notes/a.txt',
      size: 8,
    });
    expect(await during('desktop_read_file', { path: 'notes/a.txt', limit: 1 })).toMatchObject({
      size: 8,
      base64: 'ww==',
      next: 1,
    });
    expect(await during('desktop_read_file', { path: 'notes/a.txt', offset: 2 })).toEqual({
      path: 'notes/a.txt',
      size: 8,
      text: 'hnlich',
    });
    await during('desktop_write_file', {
      path: 'b',
      content: Buffer.from([0, 255]).toString('base64'),
      encoding: 'base64',
    });
    expect(await during('desktop_read_file', { path: 'b' })).toMatchObject({ base64: 'AP8=' });
    await during('desktop_write_file', { path: 'empty', content: '' });
    expect(await during('desktop_read_file', { path: 'empty' })).toMatchObject({ size: 0, text: '' });
  });

  it('is told what the host says of a mistake, and who has control', async () => {
    host.answer('act', () => ({ error: { code: 'refused', message: 'there is no key "Retrun"' } }));
    await expect(during('desktop_key', { keys: 'Retrun' })).rejects.toThrow('there is no key "Retrun"');
    host.answer('act', () => ({ error: { code: 'controlled', message: 'Owner has control now' } }));
    await expect(during('desktop_type', { text: 'x' })).rejects.toMatchObject({
      code: 'controlled',
      message: 'Owner has control now',
    });
    host.answer('act', () => ({ result: {} }));
  });

  it('hears with its next result what a person did meanwhile, once', async () => {
    const { id, generation } = await ensureDesktop(house.core, {
      organisation: 'default',
      worker: 'w-assistant',
      thread,
    });
    const control = { type: 'control', desktop: id, generation, subject: 'w-owner', name: 'Owner' } as const;
    host.send({ ...control, state: 'taken', steps: [] });
    await eventually(async () => (await house.desktop(id)).controller?.name === 'Owner');
    host.send({ ...control, state: 'returned', steps: ['clicked at 10, 20', 'pressed Return'] });
    await eventually(async () => (await house.desktop(id)).controller === null);
    expect(await during('desktop_run', { command: 'true' })).toMatchObject({
      meanwhile: ['Owner had control. What was done meanwhile:\n- clicked at 10, 20\n- pressed Return'],
    });
    expect(await during('desktop_run', { command: 'true' })).not.toHaveProperty('meanwhile');
  });

  it('does nothing of the kind for a guest', async () => {
    const guest = await findOrMakeGuest(house.core.database, 'default', {
      platform: 'mail',
      externalId: 'g@x.example',
      name: 'Gwen',
    });
    await expect(during('desktop_screenshot', {}, ['w-owner', guest])).rejects.toThrow('people who are known here');
  });

  it('does not show its readers a desktop that one of them may not watch', async () => {
    const elsewhere = await house.running();
    expect(
      await during('desktop_run', { command: 'true', desktop: elsewhere.id }, ['w-owner'], ['w-owner']),
    ).toMatchObject({ exitCode: 0 });
    await house.core.database.query(
      `insert into worker (organisation, id, name, kind, position) values ('default', 'w-kim', 'Kim', 'human', 'p-assistant')`,
    );
    await expect(
      during('desktop_screenshot', { desktop: elsewhere.id }, ['w-owner'], ['w-owner', 'w-kim']),
    ).rejects.toThrow('unknown desktop');
  });

  it('shows it to its thread: a notice of the core with nothing but the id', async () => {
    const result = await during('share_desktop');
    expect(result).toMatchObject({ thread, deliveries: [] });
    const [event] = await house.core.database.query<{ body: string; extra: object }>(
      'select body, extra from event where id = $1',
      [result.event],
    );
    expect(event).toEqual({
      body: 'Assistant shows its desktop.',
      extra: { desktop: { id: result.desktop, link: 'watch', for: null } },
    });
  });

  it('asks for help, and is woken by the person who gives control back, with what was done', async () => {
    const asking = await house.thread();
    await callDuringActivation(house.core, { behalf: ['w-owner'], thread: asking }, 'ask_for_help', {
      reason: 'The shop wants a login.',
    });
    expect(await house.notices(asking)).toEqual(['Assistant needs help: The shop wants a login.']);
    const { id, generation } = await ensureDesktop(house.core, {
      organisation: 'default',
      worker: 'w-assistant',
      thread: asking,
    });
    host.send({
      type: 'control',
      desktop: id,
      generation,
      subject: 'w-owner',
      name: 'Owner',
      state: 'returned',
      steps: ['clicked at 1, 2', 'typed text'],
    });
    const woken = await eventually(async () => {
      const [row] = await house.core.database.query<{
        body: string;
        author: string;
        sourceKind: string;
        worker: string;
      }>(
        `select e.body, e.author, e.source_kind as "sourceKind", t.worker from trigger t
           join event e on e.organisation = t.organisation and e.id = t.event where t.thread = $1`,
        [asking],
      );
      return row;
    });
    expect(woken).toEqual({
      author: 'w-owner',
      sourceKind: 'human',
      worker: 'w-assistant',
      body: "Owner has given Assistant's desktop back. What was done meanwhile:\n- clicked at 1, 2\n- typed text",
    });
  });
});

describe('a person by MCP', () => {
  it('says which desktop, and sees what the policy lets them', async () => {
    await expect(asOwner('desktop_screenshot')).rejects.toThrow('say which desktop');
    const desktop = await house.running(thread);
    const client = await openWorkerMcp({
      core: house.core,
      organisation: 'default',
      worker: 'w-owner',
      signal: new AbortController().signal,
    });
    const result = await client.callTool({ name: 'desktop_screenshot', arguments: { desktop: desktop.id } });
    await client.close();
    expect(result.content).toEqual([
      { type: 'text', text: JSON.stringify({ desktop: desktop.id, width: 1280, height: 720 }) },
      { type: 'image', data: firstPicture.toString('base64'), mimeType: 'image/jpeg' },
    ]);
    expect(host.requests.at(-1)).toMatchObject({ quality: 85 });
    await expect(asOwner('desktop_screenshot', { desktop: 'd-nowhere' })).rejects.toThrow(
      'unknown desktop "d-nowhere"',
    );
  });

  it('gets a link of their own to control; an agent gets none for anybody', async () => {
    const desktop = await house.running(thread);
    const { url } = await asOwner('control_desktop', { desktop: desktop.id });
    expect(String(url)).toContain(`/d/${desktop.id}#`);
    await house.core.database.query(
      `insert into "grant" (organisation, worker, tool) values ('default', 'w-assistant', 'control_desktop')`,
    );
    await expect(during('control_desktop', { desktop: desktop.id })).rejects.toThrow('for one person alone');
    await expect(asOwner('control_desktop', { desktop: desktop.id }, 'w-assistant')).rejects.toThrow(
      'for people who may watch it',
    );
  });

  it('is told when the desktop cannot be started, and why', async () => {
    const failing = await openDesktopHouse();
    try {
      await failing.addHost({ becomes: () => ({ state: 'failed', detail: 'no bwrap here' }) });
      await expect(
        callDuringActivation(
          failing.core,
          { behalf: ['w-owner'], thread: await failing.thread() },
          'desktop_screenshot',
        ),
      ).rejects.toThrow('the desktop could not be started: no bwrap here');
    } finally {
      await failing[Symbol.asyncDispose]();
    }
  });
});
