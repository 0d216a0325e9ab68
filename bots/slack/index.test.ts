import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Core } from '../../core/core.ts';
import { coreForTests } from '../../core/dispatch/testing/core-for-tests.ts';
import { findInstallation } from '../../core/organisation/installations.ts';
import { seed } from '../../core/organisation/seed.ts';
import { type TestDatabase, testDatabase } from '../../core/store/testing/test-database.ts';
import { startSlackServer } from '../../e2e/stand-ins/slack/slack-server.ts';
import { slack } from './index.ts';
import type { SlackSettings } from './slack-settings.ts';
import { openSlackHouse } from './testing/slack-house.ts';

let database: TestDatabase;
let core: Core;
let close: () => Promise<void>;

beforeAll(async () => {
  database = await testDatabase();
  ({ core, close } = await coreForTests({ url: database.url }));
  await seed(core.database);
});

afterAll(async () => {
  await close();
  await database.close();
});

function settings(rest: Partial<SlackSettings>): SlackSettings {
  return {
    SLACK_BOT_TOKEN: undefined,
    SLACK_SIGNING_SECRET: undefined,
    SLACK_API_URL: 'https://slack.com/api/',
    ...rest,
  };
}

function start(given: SlackSettings, publicUrl = 'https://switchboard.example.com', configured: string[] = []) {
  return slack.start(core, given, {
    mount: () => undefined,
    publicUrl,
    secretKey: undefined as never,
    dataDirectory: '/nowhere',
    configured: new Set(configured),
  });
}

describe('the Slack door', () => {
  it('does not open unless it is configured', async () => {
    expect(await start(settings({}))).toBeUndefined();
    expect(slack.door?.(settings({}))).toBeUndefined();
    expect(slack.door?.(settings({ SLACK_BOT_TOKEN: 'x' }))).toBeUndefined();
  });

  it('says which of its two secrets is missing', async () => {
    await expect(start(settings({ SLACK_BOT_TOKEN: 'x' }))).rejects.toThrow(/SLACK_SIGNING_SECRET is not/);
    await expect(start(settings({ SLACK_SIGNING_SECRET: 'x' }))).rejects.toThrow(/SLACK_BOT_TOKEN is not/);
  });

  it('makes the token’s workspace an installation of the default organisation', async () => {
    const house = await openSlackHouse({ slack: { team: 'T0MINE' } });
    try {
      expect(house.running.describe).toEqual([
        'Slack      Acme (T0MINE)   (events come to http://localhost:8080/slack/events)',
      ]);
      expect(await findInstallation(house.core.database, { kind: 'slack', externalId: 'T0MINE' })).toBe('default');
    } finally {
      await house.close();
    }
  });

  it('warns that Slack sends nothing to an address that is not https', async () => {
    const server = await startSlackServer();
    try {
      const given = settings({
        SLACK_BOT_TOKEN: server.token,
        SLACK_SIGNING_SECRET: 'x',
        SLACK_API_URL: server.apiUrl,
      });
      const running = await start(given, 'http://localhost:8080');
      expect(running?.warnings).toEqual([
        expect.stringMatching(/https only, and PUBLIC_URL is http:\/\/localhost:8080/),
      ]);
      await running?.stop();
      const local = await start(given, 'http://localhost:8080', ['SLACK_API_URL']);
      expect(local?.warnings).toEqual([]);
      await local?.stop();
    } finally {
      await server.close();
    }
  });
});
