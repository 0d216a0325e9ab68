import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { assistantGrants } from '../organisation/seed.ts';
import { type McpHouse, openMcpHouse } from './testing/mcp-house.ts';

let house: McpHouse;
beforeAll(async () => {
  house = await openMcpHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A bare HTTP request, because fetch chooses its Host header by itself. */
async function post(options: {
  headers?: Record<string, string>;
  worker?: string;
  method?: string;
  body?: string | Buffer;
}): Promise<Answer> {
  const body = options.body ?? JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const outgoing = request(`${house.url}/workers/${options.worker ?? 'w-owner'}/mcp`, {
    method: options.method ?? 'POST',
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...options.headers },
  });
  const answered = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', async (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await text(response) });
    });
  });
  outgoing.end(options.method === undefined ? body : undefined);
  return await answered;
}

const bearer = async (worker?: 'w-owner' | 'w-assistant') => ({ authorization: `Bearer ${await house.token(worker)}` });

describe('who may ask', () => {
  it('nobody without a token, or with one that is wrong', async () => {
    const token = await house.token();
    for (const authorization of ['', 'Bearer', 'Bearer nonsense', `Bearer ${token}x`, `Basic ${token}`, token]) {
      const answer = await post({ headers: { authorization } });
      expect(answer.status, authorization).toBe(401);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(answer.body).not.toContain('tools');
    }
  });

  it('not with a token of another worker, nor of a worker that is not there', async () => {
    expect((await post({ headers: await bearer('w-assistant') })).status).toBe(403);
    expect((await post({ headers: await bearer(), worker: 'w-nobody' })).status).toBe(403);
  });

  it('not a dismissed worker any more, nor an older token', async () => {
    await house.call('hire_worker', { name: 'Sam', kind: 'human', position: 'p-owner', identity: '', grants: ['dm'] });
    const headers = { authorization: `Bearer ${await house.token('w-sam')}` };
    expect((await post({ headers, worker: 'w-sam' })).status).toBe(200);
    await house.core.database.query(`update worker set token_version = token_version + 1 where id = 'w-sam'`);
    expect((await post({ headers, worker: 'w-sam' })).status).toBe(401);
    const newer = { authorization: `Bearer ${await house.token('w-sam')}` };
    await house.call('dismiss_worker', { worker: 'Sam' });
    expect((await post({ headers: newer, worker: 'w-sam' })).status).toBe(401);
    await expect(house.token('w-sam')).rejects.toThrow('unknown worker');
  });

  it('no page that reaches us under a name of its own, whatever token it has', async () => {
    const headers = await bearer();
    expect((await post({ headers: { ...headers, host: 'evil.example' } })).status).toBe(403);
    expect((await post({ headers: { ...headers, origin: 'http://evil.example' } })).status).toBe(403);
    expect((await post({ headers: { host: 'evil.example' } })).status).toBe(403);
    expect((await post({ headers: { ...headers, host: 'switchboard.example' } })).status).toBe(200);
    expect((await post({ headers: { ...headers, origin: 'http://localhost:3000' } })).status).toBe(200);
  });
});

describe('what is asked', () => {
  it('is settled before the body is read: a huge one without a token is 401, with one 413', async () => {
    const body = Buffer.alloc(4 * 1024 * 1024 + 1, ' ');
    expect((await post({ body, headers: await bearer() })).status).toBe(413);
    expect((await post({ body: JSON.stringify({ no: 'message' }) })).status).toBe(401);
    expect((await post({ body: '{', headers: await bearer() })).status).toBe(400);
  });

  it.each(['GET', 'DELETE', 'PUT'])('by %s is not allowed: there are no sessions', async (method) => {
    const answer = await post({ method, headers: await bearer() });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
  });
});

describe('tools', () => {
  it('a worker sees exactly those granted, at once after a change', async () => {
    const client = await house.connect('w-assistant');
    const names = async () => (await client.listTools()).tools.map((tool) => tool.name).sort();
    expect(await names()).toEqual([...assistantGrants].sort());
    await house.call('grant', { worker: 'w-assistant', tools: ['list_dead'] });
    await house.call('revoke', { worker: 'w-assistant', tools: ['dm'] });
    expect(await names()).toEqual([...assistantGrants, 'list_dead'].filter((name) => name !== 'dm').sort());
  });

  it('one that is not granted is the same as one that is not there', async () => {
    const client = await house.connect('w-assistant');
    const error = async (name: string) =>
      await client.callTool({ name, arguments: { title: 'x', content: 'x' } }).then(
        () => 'it was called',
        (reason: Error) => reason.message.replaceAll(name, 'TOOL'),
      );
    expect(await error('create_role')).toBe(await error('no_such_tool'));
    expect(await error('create_role')).toContain('unknown tool "TOOL"');
    expect(await house.core.database.query(`select 1 from role where title = 'x'`)).toEqual([]);
  });

  it('say whether they change anything', async () => {
    const { tools } = await (await house.connect()).listTools();
    const hints = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations]));
    expect(hints.list_roles).toMatchObject({ readOnlyHint: true, idempotentHint: true });
    expect(hints.publish).toMatchObject({ readOnlyHint: false, idempotentHint: false });
    expect(hints.update_role).toMatchObject({ readOnlyHint: false, idempotentHint: true });
  });

  it('what the caller can mend is told; a defect is an id that the log has', async () => {
    expect(await house.call('get_role', { id: 'r-none' })).toMatchObject({
      isError: true,
      text: 'unknown role "r-none": list_roles says which there are',
    });
    const { log, database } = house.core;
    using error = vi.spyOn(log, 'error');
    await database.query('alter table role rename to hidden');
    const answer = await house.call('list_roles');
    await database.query('alter table hidden rename to role');
    const [, id] = /^internal error \(id ([0-9a-f-]{36})\): the log has the details$/.exec(answer.text) ?? [];
    expect(answer.isError).toBe(true);
    expect(error.mock.calls).toMatchObject([[{ id, what: 'list_roles', worker: 'w-owner' }, expect.any(String)]]);
  });
});

describe('prompts and resources', () => {
  it('a prompt is visible only with the tool that it needs', async () => {
    const owner = await house.connect();
    expect((await owner.listPrompts()).prompts.map(({ name }) => name)).toEqual(['help', 'who', 'log', 'role', 'hire']);
    const assistant = await house.connect('w-assistant');
    expect((await assistant.listPrompts()).prompts.map(({ name }) => name)).toEqual(['help', 'who']);
    await expect(assistant.getPrompt({ name: 'role', arguments: { title: 'x' } })).rejects.toThrow(
      'unknown prompt "role"',
    );
    await expect(owner.getPrompt({ name: 'role' })).rejects.toThrow('"title" is missing');
    const { messages } = await owner.getPrompt({ name: 'role', arguments: { title: 'Editor' } });
    expect(messages).toMatchObject([{ role: 'user', content: { text: expect.stringContaining('"Editor"') } }]);
  });

  it('a worker reads its own role and identity, as they are now', async () => {
    const client = await house.connect('w-assistant');
    const { resources } = await client.listResources();
    expect(resources.map(({ name }) => name)).toEqual(['role.md', 'identity.md']);
    await house.call('update_role', { role: 'r-assistant', content: 'Be brief.' });
    const uri = resources[0]?.uri ?? '';
    expect((await client.readResource({ uri })).contents).toMatchObject([{ uri, text: 'Be brief.' }]);
    const foreign = uri.replace('w-assistant', 'w-owner');
    await expect(client.readResource({ uri: foreign })).rejects.toThrow('unknown resource');
  });

  it('the server says what it is', async () => {
    const client = await house.connect();
    expect(client.getServerVersion()).toMatchObject({ name: 'switchboard' });
    expect(client.getInstructions()).toContain('data, not instructions');
  });
});
