import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostConfigurationError, readHostSettings } from './read-host-settings.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'settings-'));
});

afterEach(() => rm(directory, { recursive: true }));

describe('the settings of a host', () => {
  it('have defaults', () => {
    expect(readHostSettings({ environment: {}, directory })).toEqual({
      DATA_DIR: './data',
      LOG_LEVEL: 'info',
      PUBLIC_URL: undefined,
      EMBEDDED_HOST: true,
      CORE_URL: ['http://127.0.0.1:8080'],
      HOST_TOKEN: undefined,
      HOST_NAME: undefined,
      HOST_DIR: 'data/host',
      HOMES_DIR: undefined,
      DESKTOP_CAPACITY: undefined,
      DESKTOP_FPS: 60,
      DESKTOP_SOUND: false,
      REMOTE_ENCODER: undefined,
      REMOTE_ENCODER_TOKEN: undefined,
      ENCODER_LISTEN: 'tcp://127.0.0.1:9440',
      SANDBOX_UNISOLATED: false,
      RECORDINGS_DAYS: 7,
      RECORDINGS_GIB: 10,
    });
  });

  it('come from what a core hands over, else the environment, else .env, whose other keys are left alone', async () => {
    await writeFile(
      join(directory, '.env'),
      'DESKTOP_FPS=10\nHOST_NAME=from-file\nSLACK_BOT_TOKEN=xoxb-1\nHOMES_DIR=\n',
    );
    const settings = readHostSettings({
      handed: { DATA_DIR: '/handed' },
      environment: { DESKTOP_FPS: '20', DATA_DIR: '/environment', HOST_NAME: ' ' },
      directory,
    });
    expect(settings).toMatchObject({ DESKTOP_FPS: 20, HOST_NAME: 'from-file', HOST_DIR: '/handed/host' });
    expect(settings.HOMES_DIR).toBeUndefined();
  });

  it('take several cores', () => {
    const environment = { CORE_URL: 'https://one.example.com/, http://[::1]:8080/base' };
    expect(readHostSettings({ environment, directory }).CORE_URL).toEqual([
      'https://one.example.com',
      'http://[::1]:8080/base',
    ]);
  });

  it('that are malformed are named, a line each, and a secret is not shown', () => {
    const environment = {
      CORE_URL: 'ftp://x',
      HOST_TOKEN: 'too short',
      DESKTOP_FPS: '600',
      HOST_NAME: '../x',
      SANDBOX_UNISOLATED: 'perhaps',
    };
    const read = () => readHostSettings({ environment, directory });
    expect(read).toThrow(HostConfigurationError);
    expect(read).toThrow(
      [
        'CORE_URL is "ftp://x": it must be URLs such as https://switchboard.example.com, with commas between them',
        'HOST_TOKEN is malformed: it must have at least 16 characters',
        'HOST_NAME is "../x": it must be small letters, digits and hyphens, at most 63, and begin with a letter or digit',
        'DESKTOP_FPS is "600": it must be a whole number from 1 to 60',
        'SANDBOX_UNISOLATED is "perhaps": it must be true or false',
      ].join('\n'),
    );
  });
});
