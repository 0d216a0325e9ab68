import { maskSecrets } from '../secrets/mask-secrets.ts';
import { type Configuration, declarationOf } from './read-settings.ts';
import { isDerived, type Setting, type Settings } from './setting.ts';

/**
 * One key as `npx switchboard config get` prints it: the value as it was written, or its default; `(set)` for a secret; an
 * empty text when there is nothing.
 *
 * @throws ConfigurationError when there is no such key, naming the nearest
 */
export function showSetting<S extends Settings>(settings: S, configuration: Configuration<S>, key: string): string {
  const setting = declarationOf(settings, key);
  const written = configuration.written.get(key);
  if (setting.secret) return written === undefined ? '' : '(set)';
  return maskSecrets(written ?? shownDefault(configuration.values[key]));
}

/** The whole configuration as a table of key, value and where it came from, for people; secrets say `(set)`. */
export function formatConfiguration<S extends Settings>(settings: S, configuration: Configuration<S>): string {
  const rows = Object.keys(settings).map((key): [string, string, string] => {
    const shown = showSetting(settings, configuration, key);
    return [key, shown === '' ? '(none)' : shown, configuration.origins[key] ?? ''];
  });
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(([key, shown, origin]) => `${key.padEnd(widths[0] ?? 0)}  ${shown.padEnd(widths[1] ?? 0)}  ${origin}`)
    .join('\n');
}

/** The content of docs/configuration.md for these keys. A test compares the file with it. */
export function settingsMarkdown(settings: Settings): string {
  const rows = Object.entries(settings).map(([key, setting]) => {
    const notes = [setting.description];
    if (setting.secret) notes.push('Secret.');
    if (setting.environmentOnly) notes.push('Environment or `.env` only.');
    return `| \`${key}\` | ${documentedDefault(setting)} | ${notes.join(' ').replaceAll('|', '\\|').replaceAll('<', '&lt;')} |`;
  });
  return `${PREFACE}\n\n| key | default | what it is for |\n|---|---|---|\n${rows.join('\n')}\n`;
}

const PREFACE = `# Configuration

Each key is read from the environment, else from a file \`.env\` in the project's folder, else from what was set with
\`npx switchboard config set KEY value\` (stored encrypted in the database). An empty value counts as not set. An unknown key in
\`.env\` or \`config set\` is an error; other variables of the environment are left alone.

This page is made from the declarations beside the code that reads the keys.`;

function documentedDefault(setting: Setting): string {
  if (isDerived(setting.default)) return `from ${setting.default.derivedFrom.map((key) => `\`${key}\``).join(' and ')}`;
  const shown = shownDefault(setting.default);
  return shown === '' ? 'none' : `\`${shown}\``;
}

function shownDefault(value: unknown): string {
  if (value === undefined) return '';
  return Array.isArray(value) ? value.join(',') : String(value);
}
