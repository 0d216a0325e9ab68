import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readSettings } from '../../core/config/read-settings.ts';
import { readSources } from '../../core/config/read-sources.ts';
import { SwitchboardError } from '../../core/errors.ts';
import { settings } from '../../main.ts';
import { buildPackage } from './build-package.ts';

/** `npx node manifests/teams/build.ts`: writes the Teams app for this configuration. */

const usage = `npx node manifests/teams/build.ts [--out switchboard-teams.zip] [--name Switchboard] [--version 1.0.0] [--mentions-only]

MicrosoftAppId and PUBLIC_URL are read from the environment or .env.
`;

async function main(): Promise<string> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'switchboard-teams.zip' },
      name: { type: 'string' },
      version: { type: 'string' },
      'mentions-only': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return usage;
  const sources = readSources({ environment: process.env, directory: process.cwd() });
  // Without the database, where what `config set` has stored lies.
  const { MicrosoftAppId, PUBLIC_URL } = (await readSettings(settings, sources, async () => new Map())).values;
  const zip = buildPackage({
    MicrosoftAppId,
    PUBLIC_URL,
    name: values.name,
    version: values.version,
    mentionsOnly: values['mentions-only'],
  });
  const file = resolve(values.out);
  await writeFile(file, zip);
  return `${file}\n`;
}

try {
  process.stdout.write(await main());
} catch (error) {
  const isSentence =
    error instanceof SwitchboardError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(
    `switchboard: ${isSentence ? (error as Error).message : String((error as Error).stack ?? error)}\n`,
  );
  process.exitCode = 1;
}
