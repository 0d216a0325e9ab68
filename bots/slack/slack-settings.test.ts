import { describe, expect, it } from 'vitest';
import { slackSettings } from './slack-settings.ts';

describe('SLACK_API_URL', () => {
  const { type } = slackSettings.SLACK_API_URL;

  it.each([
    ['https://slack.com/api/', 'https://slack.com/api/'],
    ['https://slack-gov.com/api', 'https://slack-gov.com/api/'],
    ['http://127.0.0.1:4003/api/', 'http://127.0.0.1:4003/api/'],
    ['http://localhost:4003/some/api/', 'http://localhost:4003/some/api/'],
    ['http://[::1]:4003/api/', 'http://[::1]:4003/api/'],
  ])('%s is taken', (given, taken) => {
    expect(type.parse(given)).toBe(taken);
  });

  it.each([
    'http://slack.com/api/',
    'http://127.0.0.1.example.com/api/',
    'https://slack.com/',
    'https://slack.com/api/?x=1',
    'https://user:password@slack.com/api/',
    'ftp://localhost/api/',
    'slack.com/api/',
  ])('%s is refused: the token would go there', (given) => {
    expect(type.safeParse(given).error?.issues[0]?.message).toMatch(/ends in \/api\//);
  });
});
