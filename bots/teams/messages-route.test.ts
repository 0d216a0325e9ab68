import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import { inChannel, personal } from './testing/activities.ts';
import { openTeamsHouse, type TeamsHouse } from './testing/teams-house.ts';
import { appId } from './testing/token-issuer.ts';

let house: TeamsHouse;

beforeAll(async () => {
  house = await openTeamsHouse();
});

afterAll(async () => {
  await house.close();
});

const seconds = () => Math.floor(Date.now() / 1000);

async function bodies(): Promise<string[]> {
  return (await house.events()).map((event) => event.body);
}

describe('a request with the token of the Bot Connector', () => {
  it('is taken, committed, then answered 200, and the reply goes to its conversation', async () => {
    expect(await house.send(personal(house, 'good morning'))).toEqual({ status: 200, body: '' });
    expect(await bodies()).toContain('good morning');
    await eventually(async () => [...house.connector.messages('a:1personal').values()].includes('echo: good morning'));
  });

  it('may be signed five minutes off the clock', async () => {
    const activity = personal(house, 'clocks differ');
    const late = house.issuer.token(activity.serviceUrl, { exp: seconds() - 240 });
    const early = house.issuer.token(activity.serviceUrl, { nbf: seconds() + 240 });
    expect((await house.send(activity, `Bearer ${late}`)).status).toBe(200);
    expect((await house.send(activity, `Bearer ${early}`)).status).toBe(200);
  });

  it('is taken when the keys have changed since they were fetched', async () => {
    const other = await openTeamsHouse();
    try {
      expect((await other.send(personal(other, 'before'))).status).toBe(200);
      other.issuer.rotate();
      // Only once in five minutes: an unknown key id costs a fetch, and anybody can make one up.
      expect((await other.send(personal(other, 'too early'))).status).toBe(401);
      expect(other.issuer.fetched()).toBe(1);
    } finally {
      await other.close();
    }
  });
});

describe('401, and nothing is stored, for', () => {
  const token = (changes: Record<string, unknown>) => (url: string) => `Bearer ${house.issuer.token(url, changes)}`;
  const cases: [string, (serviceUrl: string) => string | null][] = [
    ['no token', () => null],
    ['another scheme', (url) => token({})(url).replace('Bearer', 'Basic')],
    ['no JWT', () => 'Bearer abc'],
    ['something like a JWT', () => 'Bearer abc.def.ghi'],
    ['an expired one', token({ exp: seconds() - 301, nbf: seconds() - 3600 })],
    ['one that never expires', token({ exp: undefined })],
    ['one for later', token({ nbf: seconds() + 400 })],
    ['another audience', token({ aud: '11111111-2222-3333-4444-555555555555' })],
    ['another issuer', token({ iss: 'https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/' })],
    ['the issuer of another cloud', token({ iss: 'https://api.botframework.us' })],
    ['another serviceUrl', () => token({})('https://smba.trafficmanager.net/emea/')],
    ['no serviceUrl', token({ serviceurl: undefined })],
    [
      'a key endorsed for other channels',
      (url) => `Bearer ${house.issuer.token(url, {}, house.issuer.otherChannelsKey)}`,
    ],
    ['a key without endorsements', (url) => `Bearer ${house.issuer.token(url, {}, house.issuer.unendorsedKey)}`],
    ['a rogue key', (url) => `Bearer ${house.issuer.token(url, {}, house.issuer.rogueKey)}`],
    [
      'a rogue key under the name of a good one',
      (url) => `Bearer ${house.issuer.token(url, {}, { ...house.issuer.rogueKey, kid: house.issuer.key.kid })}`,
    ],
    ['a tampered payload', (url) => tamper(token({ aud: 'other' })(url), { aud: appId })],
    ['alg none', (url) => `Bearer ${house.issuer.token(url, {}, house.issuer.key, 'none')}`],
    ['alg none under a good signature', (url) => withHeader(token({})(url), { alg: 'none' })],
    ['another algorithm', (url) => `Bearer ${house.issuer.token(url, {}, house.issuer.key, 'RS512')}`],
    ['a signature by the public key as a secret', (url) => withHeader(token({})(url), { alg: 'HS256' })],
  ];

  it.each(cases)('%s', async (_what, authorization) => {
    const activity = personal(house, 'must not be stored');
    const before = (await bodies()).length;
    const answer = await house.send(activity, authorization(activity.serviceUrl));
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(answer.body).not.toContain('eyJ');
    expect((await bodies()).length).toBe(before);
  });

  it('a bad token even where the body is no JSON: the token is looked at first', async () => {
    const response = await fetch(`${house.url}/api/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer a.b.c' },
      body: '{',
    });
    expect(response.status).toBe(401);
  });
});

describe('with a good token', () => {
  it('a body that is no activity is 400', async () => {
    const good = `Bearer ${house.issuer.token(house.connector.serviceUrl)}`;
    const post = (body: string, type = 'application/json') =>
      fetch(`${house.url}/api/messages`, {
        method: 'POST',
        headers: { 'content-type': type, authorization: good },
        body,
      });
    for (const body of ['{', '[]', '{}', '{"type":"message"}', '"x"'])
      expect((await post(body)).status, body).toBe(400);
    expect((await post('{}', 'text/plain')).status).toBe(400);
    expect((await post(JSON.stringify({ text: 'x'.repeat(2_000_000) }))).status).toBe(413);
  });

  it('an activity of another channel is 403: there people choose their own ids', async () => {
    expect((await house.send(personal(house, 'x', { channelId: 'webchat' }))).status).toBe(403);
    expect((await house.send(personal(house, 'x', { channelId: undefined }))).status).toBe(403);
  });

  it.each([
    'https://evil.example/',
    'http://smba.trafficmanager.net/',
    'https://10.0.0.1/',
    'https://smba.trafficmanager.net@evil.example/',
  ])('the serviceUrl %s is 403, however good its token', async (serviceUrl) => {
    expect((await house.send(personal(house, 'must not be stored', { serviceUrl }))).status).toBe(403);
    expect(await bodies()).not.toContain('must not be stored');
  });

  it.each(['https://smba.trafficmanager.net/emea/', 'https://smba.infra.gcc.teams.microsoft.com/gcc'])(
    'the serviceUrl %s is Teams',
    async (serviceUrl) => {
      expect((await house.send(personal(house, 'typing', { type: 'typing', serviceUrl }))).status).toBe(200);
    },
  );

  it('another tenant is answered 200, counted, and stored nowhere', async () => {
    const elsewhere = '99999999-0000-4000-8000-000000000000';
    const activity = personal(house, 'from elsewhere', {
      conversation: { conversationType: 'personal', id: 'a:elsewhere', tenantId: elsewhere },
      channelData: { tenant: { id: elsewhere } },
    });
    expect((await house.send(activity)).status).toBe(200);
    const none = { conversation: { conversationType: 'personal', id: 'a:none' }, channelData: {} };
    expect((await house.send(personal(house, 'from nowhere', none))).status).toBe(200);
    expect((await bodies()).filter((body) => body.startsWith('from '))).toEqual([]);
    expect(await house.database.query(`select 1 from binding where external_id in ('a:elsewhere', 'a:none')`)).toEqual(
      [],
    );
    expect(await house.core.metrics.page()).toContain(
      'switchboard_refused_installations_total{binding_kind="teams"} 2',
    );
  });

  it('an invoke is 501 and what needs no answer is 200', async () => {
    expect((await house.send(personal(house, '', { type: 'invoke', name: 'task/fetch' }))).status).toBe(501);
    for (const type of ['typing', 'messageReaction', 'installationUpdate', 'event', 'endOfConversation', 'whatever'])
      expect((await house.send(personal(house, 'no message', { type }))).status, type).toBe(200);
    expect(await bodies()).not.toContain('no message');
  });

  it('the same activity again is the same Event', async () => {
    const activity = inChannel(house, '@once only', '1700');
    for (let n = 0; n < 3; n++) expect((await house.send(activity)).status).toBe(200);
    const again = await Promise.all([1, 2, 3].map(() => house.send(personal(house, 'at once', { id: '1701' }))));
    expect(again.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect((await bodies()).filter((body) => body === 'once only' || body === 'at once')).toEqual([
      'once only',
      'at once',
    ]);
  });
});

describe('a commit that fails', () => {
  it('is 5xx, so that Teams sends the activity again, and then it is taken', async () => {
    const activity = personal(house, 'at the second try');
    await house.database.query(
      `alter table receipt add constraint stop check (external_id not like '%${activity.id}')`,
    );
    try {
      const answer = await house.send(activity);
      expect(answer.status).toBe(500);
      expect(answer.body).not.toContain('constraint');
      expect(await bodies()).not.toContain('at the second try');
    } finally {
      await house.database.query('alter table receipt drop constraint stop');
    }
    expect((await house.send(activity)).status).toBe(200);
    expect((await bodies()).filter((body) => body === 'at the second try')).toHaveLength(1);
  });

  it('is not answered 200 before it is there, however long it takes', async () => {
    const activity = personal(house, 'takes its time');
    const { promise: isHeld, resolve: hold } = Promise.withResolvers<void>();
    const held = house.database.transaction(async (tx) => {
      await tx.query(`select 1 from stream where kind = 'dm' for update`);
      hold();
      await new Promise((resolve) => setTimeout(resolve, 700));
      return performance.now();
    });
    await isHeld;
    const { status } = await house.send(activity);
    const answered = performance.now();
    expect(status).toBe(200);
    expect(answered).toBeGreaterThan(await held);
  });
});

describe('keys that cannot be fetched', () => {
  it('are 503: who is asking is not known, and Teams asks again', async () => {
    const other = await openTeamsHouse();
    try {
      other.issuer.announce({ status: 500 });
      expect((await other.send(personal(other, 'early'))).status).toBe(503);
      other.issuer.announce({ jwksUri: 'https://evil.example/keys' });
      expect((await other.send(personal(other, 'redirected'))).status).toBe(503);
      other.issuer.announce({});
      expect((await other.send(personal(other, 'early'))).status).toBe(200);
    } finally {
      await other.close();
    }
  });
});

describe('the anonymous mode', () => {
  let local: TeamsHouse;

  beforeAll(async () => {
    local = await openTeamsHouse({
      env: { TEAMS_ANONYMOUS: '1', MicrosoftAppId: undefined, TEAMS_OPENID_METADATA_URL: undefined },
    });
  });

  afterAll(async () => {
    await local.close();
  });

  it('takes activities without a token, of every tenant, and answers them', async () => {
    const conversation = { conversationType: 'personal', id: 'a:anybody', tenantId: 'any-tenant' };
    expect((await local.send(personal(local, 'hi', { conversation }), null)).status).toBe(200);
    await eventually(async () => [...local.connector.messages('a:anybody').values()].includes('echo: hi'));
    expect(local.warnings.join()).toContain('TEAMS_ANONYMOUS');
  });

  it('makes identities that are nobody outside it', async () => {
    const rows = await local.database.query('select distinct platform from identity');
    expect(rows).toEqual([{ platform: 'teams-anonymous' }]);
  });

  it('calls only this machine', async () => {
    const serviceUrl = 'https://smba.trafficmanager.net/emea/';
    expect((await local.send(personal(local, 'x', { serviceUrl }), null)).status).toBe(403);
  });

  it.each([
    ['a page in a browser', { origin: 'https://evil.example' }],
    ['another name for this machine', { host: 'rebound.example' }],
    ['a proxy', { 'x-forwarded-for': '203.0.113.7' }],
  ])('does not take requests by %s', async (_what, headers) => {
    const body = JSON.stringify(personal(local, 'must not be stored'));
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const url = new URL(`${local.url}/api/messages`);
      const sent = request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } });
      sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      sent.end(body);
    });
    expect(status).toBe(403);
  });

  it('does not start where others could reach it', async () => {
    for (const HOST of ['0.0.0.0', '::', '192.0.2.1', 'example.com'])
      await expect(openTeamsHouse({ env: { TEAMS_ANONYMOUS: '1', HOST } })).rejects.toThrow(/TEAMS_ANONYMOUS.*HOST/);
  });
});

/** The token with other claims under the old signature. */
function tamper(token: string, claims: Record<string, unknown>): string {
  const [header, payload = '', signature] = token.split('.');
  const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims };
  return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
}

function withHeader(token: string, fields: Record<string, unknown>): string {
  const [header = '', payload, signature] = token.replace('Bearer ', '').split('.');
  const changed = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), ...fields };
  return `Bearer ${[Buffer.from(JSON.stringify(changed)).toString('base64url'), payload, signature].join('.')}`;
}
