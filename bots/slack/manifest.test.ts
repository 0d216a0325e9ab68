import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildSlackManifest, createAppLink } from '../../manifests/slack/build-manifest.ts';

const example = 'https://switchboard.example.com';

it('the manifest that lies beside its builder is what it builds', async () => {
  const path = join(import.meta.dirname, '../../manifests/slack/manifest.json');
  expect(
    JSON.parse(await readFile(path, 'utf8')),
    `run: PUBLIC_URL=${example} npx node manifests/slack/build.ts > manifests/slack/manifest.json`,
  ).toEqual(buildSlackManifest({ PUBLIC_URL: example }));
});

it('leads Slack to this server with events and with clicks', () => {
  const { event_subscriptions: events, interactivity } = buildSlackManifest({ PUBLIC_URL: `${example}/` }).settings;
  expect([events.request_url, interactivity.request_url]).toEqual(
    Array(2).fill('https://switchboard.example.com/slack/events'),
  );
});

it('is not made for an address or a name that Slack refuses', () => {
  expect(() => buildSlackManifest({ PUBLIC_URL: 'http://localhost:8080' })).toThrow(/PUBLIC_URL/);
  expect(() => buildSlackManifest({ PUBLIC_URL: example, name: 'x'.repeat(36) })).toThrow(/35 characters/);
});

it('fits into a link', () => {
  const manifest = buildSlackManifest({ PUBLIC_URL: example, name: 'A & B' });
  expect(JSON.parse(new URL(createAppLink(manifest)).searchParams.get('manifest_json') ?? '')).toEqual(manifest);
});
