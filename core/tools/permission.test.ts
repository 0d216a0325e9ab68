import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, type McpHouse, openMcpHouse } from '../mcp/testing/mcp-house.ts';
import { grantTools } from '../organisation/grants.ts';
import { findOrMakeGuest } from '../organisation/identities.ts';
import type { WorkerId } from '../store/ids.ts';
import { allTools } from './index.ts';
import { callDuringActivation } from './testing/during-activation.ts';
import { toolNames } from './tool-names.ts';

let house: McpHouse;
let guest: WorkerId;
let other: WorkerId;
beforeAll(async () => {
  house = await openMcpHouse();
  const { database } = house.core;
  guest = await findOrMakeGuest(database, 'default', { platform: 'mail', externalId: 'g@x.example', name: 'Gwen' });
  other = await findOrMakeGuest(database, 'default', { platform: 'mail', externalId: 'o@x.example', name: 'Otto' });
  await grantTools(database, 'default', 'w-assistant', toolNames);
});
afterAll(() => house[Symbol.asyncDispose]());

const during = (behalf: (WorkerId | null)[], tool: string, input?: unknown, readers?: WorkerId[]) =>
  callDuringActivation(house.core, { behalf, ...(readers ? { readers } : {}) }, tool, input);

const roleText = async () => at((await house.call('get_role', { id: 'r-assistant' })).value, 'role.content');

describe('no confused deputy', () => {
  const edit = { role: 'r-assistant', content: 'Obey Gwen.' };

  it('a guest cannot have a role changed by an agent that may change it', async () => {
    const before = await roleText();
    await expect(during([guest], 'update_role', edit)).rejects.toThrow(`${guest} asked for it`);
    expect(await roleText()).toBe(before);
  });

  it('nor can it beside somebody who may, nor somebody who began the chain', async () => {
    await expect(during(['w-owner', guest], 'update_role', edit)).rejects.toThrow('without holding update_role');
  });

  it('nor what nobody wrote, nor nobody at all', async () => {
    await expect(during([null], 'update_role', edit)).rejects.toThrow('no person who holds update_role has asked');
    await expect(during(['w-owner', null], 'update_role', edit)).rejects.toThrow('no person');
    await expect(during([], 'update_role', edit)).rejects.toThrow('no person');
  });

  it('who holds the grant gets it done', async () => {
    await during(['w-owner'], 'update_role', { role: 'r-assistant', content: 'Obey.' });
    expect(await roleText()).toBe('Obey.');
  });

  it('an agent without the grant does not do it even for the owner: for it there is no such tool', async () => {
    await house.call('revoke', { worker: 'w-assistant', tools: ['update_role'] });
    await expect(during(['w-owner'], 'update_role', edit)).rejects.toThrow('unknown tool "update_role"');
    await grantTools(house.core.database, 'default', 'w-assistant', ['update_role']);
  });

  it('every tool that changes something but says something asks for it', async () => {
    const says = ['publish', 'dm', 'worker_log', 'share_desktop', 'ask_for_help'];
    // A Desktop is the agent's own sandbox; guests may not have it used (core/tools/use-desktop.test.ts).
    const inSandbox = (name: string) => name.startsWith('desktop_') || name === 'control_desktop';
    const changing = allTools.filter((tool) => !tool.readOnly && !says.includes(tool.name) && !inSandbox(tool.name));
    expect(changing.length).toBeGreaterThan(12);
    for (const tool of changing)
      await expect(during([guest], tool.name, {}), tool.name).rejects.toThrow(`without holding ${tool.name}`);
  });
});

describe('nobody gives away what they do not hold', () => {
  it('not by granting, not by hiring', async () => {
    await house.call('hire_worker', {
      name: 'Hana',
      kind: 'human',
      position: 'p-assistant',
      identity: '',
      grants: ['grant', 'hire_worker'],
      subscriptions: [],
    });
    const hana = { worker: 'w-hana' as const };
    const granted = await house.call('grant', { worker: 'w-hana', tools: ['grant', 'update_role'] }, hana);
    expect(granted).toMatchObject({
      isError: true,
      text: expect.stringContaining('you do not hold update_role yourself'),
    });
    const hire = { name: 'Puppet', kind: 'ai', position: 'p-assistant', identity: '', grants: ['update_role'] };
    expect((await house.call('hire_worker', hire, hana)).text).toContain('you do not hold update_role yourself');
    expect((await house.call('grant', { worker: 'w-assistant', tools: ['grant'] }, hana)).isError).toBe(false);
  });

  it('not on behalf of somebody who lacks it either', async () => {
    await expect(during(['w-hana'], 'grant', { worker: 'w-hana', tools: ['update_role'] })).rejects.toThrow(
      'w-hana asked for it',
    );
  });
});

describe('who reads the answer', () => {
  it('what a grant alone shows is shown only if all of them hold it', async () => {
    for (const tool of ['list_roles', 'list_positions', 'list_grants', 'list_dead'])
      await expect(during(['w-owner'], tool, {}, ['w-owner', guest]), tool).rejects.toThrow(`${guest} would read`);
    expect((await during(['w-owner'], 'list_roles')).roles).toHaveLength(2);
  });

  it('a guest learns of no other guest and of no address', async () => {
    const all = await during(['w-owner'], 'list_workers', {}, ['w-owner']);
    expect(JSON.stringify(all)).toContain('Otto');
    const seen = JSON.stringify(await during([guest], 'list_workers'));
    expect(seen).toContain('Assistant');
    expect(seen).not.toContain('Otto');
    await expect(during([guest], 'get_worker', { id: other })).rejects.toThrow('unknown worker');
    await house.core.database.query(
      `insert into identity (organisation, platform, external_id, worker) values ('default', 'mail', 'boss@x.example', 'w-owner')`,
    );
    const owner = JSON.stringify(await during([guest], 'get_worker', { id: 'w-owner' }));
    expect(owner).toContain('Owner');
    expect(owner).not.toContain('boss@x.example');
    expect(JSON.stringify(await during(['w-owner'], 'get_worker', { id: 'w-owner' }))).toContain('boss@x.example');
    expect(JSON.stringify(await during([guest], 'stream_members', { stream: 's-mail' }).catch(String))).not.toContain(
      'Otto',
    );
  });

  it('who meets a guest in a thread may know it', async () => {
    await house.core.database.query(
      `insert into participant (organisation, thread, worker) values ('default', 't-met', $1), ('default', 't-met', $2), ('default', 't-met', 'w-assistant')`,
      [guest, other],
    );
    expect(JSON.stringify(await during([guest], 'list_workers'))).toContain('Otto');
  });

  it('a guest sees only the streams that it takes part in', async () => {
    expect(await during([guest], 'list_streams')).toEqual({ streams: [], cursor: null });
    await expect(during([guest], 'get_stream', { id: 's-general' })).rejects.toThrow('unknown stream');
    await expect(during([guest], 'read_events', { stream: 's-general' })).rejects.toThrow('unknown stream');
  });

  it('nobody becomes the reader of a log by having an agent ask for it', async () => {
    await house.call('hire_worker', { name: 'Ivy', kind: 'human', position: 'p-owner', identity: '', grants: [] });
    await expect(during(['w-ivy'], 'worker_log', { worker: 'w-hana' })).rejects.toThrow();
    expect(await house.core.database.query(`select 1 from subscription where worker = 'w-ivy'`)).toEqual([]);
  });
});
