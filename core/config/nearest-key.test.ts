import { describe, expect, it } from 'vitest';
import { nearestKey } from './nearest-key.ts';

const known = ['PORT', 'HOST', 'PUBLIC_URL', 'DATABASE_URL', 'SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'MicrosoftAppId'];

describe('nearestKey', () => {
  it.each([
    ['PROT', 'PORT'],
    ['port', 'PORT'],
    ['HOSTS', 'HOST'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['PUBLICURL', 'PUBLIC_URL'],
    ['SLACK_BOT_TOKE', 'SLACK_BOT_TOKEN'],
    ['SLACK_APPS_TOKEN', 'SLACK_APP_TOKEN'],
    ['MICROSOFT_APP_ID', 'MicrosoftAppId'],
  ])('takes %s for %s', (mistyped, meant) => {
    expect(nearestKey(mistyped, known)).toBe(meant);
  });

  it('prefers two swapped letters to two changed ones', () => {
    expect(nearestKey('PROT', ['PLOT2', 'PART', 'PORT'])).toBe('PORT');
  });

  it('has nothing to name where nothing is known', () => {
    expect(nearestKey('PORT', [])).toBeUndefined();
  });
});
