import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseDriver } from './choose-driver.ts';

/** A machine on which neither bubblewrap nor a container engine is found. */
let before: NodeJS.ProcessEnv;
beforeEach(() => {
  before = { ...process.env };
});
afterEach(() => {
  process.env = before;
});
function hideEverything(): void {
  process.env.PATH = '/nonexistent';
  process.env.DOCKER_HOST = 'unix:///nonexistent/docker.sock';
}

describe('the driver of a host', () => {
  it('is the first that isolates and works, and all are reported', async () => {
    const choice = await chooseDriver({ owner: 'test', unisolated: false });
    const works = choice.reports.find((report) => report.works);
    expect(choice.driver?.name).toBe(works?.name);
    expect(choice.reports.map(({ name }) => name)).toEqual(['process', 'container']);
  });

  it('is none where nothing isolates, and the refusal says what to install', async () => {
    hideEverything();
    const choice = await chooseDriver({ owner: 'test', unisolated: false });
    expect(choice.driver).toBeNull();
    expect(choice).toMatchObject({
      refusal: expect.stringMatching(
        /nothing here isolates a Desktop.*apt-get install bubblewrap.*SANDBOX_UNISOLATED=1/,
      ),
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'is plain processes there only when the administrator has said so',
    async () => {
      hideEverything();
      const choice = await chooseDriver({ owner: 'test', unisolated: true });
      expect(choice.driver?.name).toBe('unisolated');
      expect(choice.reports.map(({ name, works }) => [name, works])).toEqual([
        ['process', false],
        ['container', false],
        ['unisolated', true],
      ]);
    },
  );
});
