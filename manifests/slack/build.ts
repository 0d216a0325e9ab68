import { parseArgs } from 'node:util';
import { readSettings } from '../../core/config/read-settings.ts';
import { readSources } from '../../core/config/read-sources.ts';
import { SwitchboardError } from '../../core/errors.ts';
import { settings } from '../../main.ts';
import { buildSlackManifest, createAppLink } from './build-manifest.ts';

/** `npx node manifests/slack/build.ts`: prints the manifest of the Slack app for this configuration. */

const usage = `npx node manifests/slack/build.ts [--name Switchboard] [--link]

Prints the app's manifest, or with --link the address that opens Slack with it filled in. PUBLIC_URL is read from the environment
or .env.
`;

async function main(): Promise<string> {
  const { values } = parseArgs({
    options: {
      name: { type: 'string' },
      link: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return usage;
  const sources = readSources({ environment: process.env, directory: process.cwd() });
  // Without the database, where what `config set` has stored lies.
  const { PUBLIC_URL } = (await readSettings(settings, sources, async () => new Map())).values;
  const manifest = buildSlackManifest({ PUBLIC_URL, name: values.name });
  return `${values.link ? createAppLink(manifest) : JSON.stringify(manifest, null, 2)}\n`;
}

try {
  process.stdout.write(await main());
} catch (error) {
  process.stderr.write(`${error instanceof SwitchboardError ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
