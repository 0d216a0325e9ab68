import { describe, expect, it } from 'vitest';
import { readSettings } from './read-settings.ts';
import { defineSettings, derived } from './setting.ts';
import { commaList, httpUrl, portNumber, text } from './setting-types.ts';
import { formatConfiguration, settingsMarkdown, showSetting } from './show-settings.ts';

const listening = defineSettings({ PORT: { type: portNumber, default: 8080, description: 'The port.' } });
const settings = defineSettings({
  ...listening,
  LINK: { type: text, default: derived(listening, ({ PORT }) => `at ${PORT}`), description: 'A link.' },
  TOKEN: { type: text, secret: true, description: 'A token, a|<b>.' },
  OTHER_TOKEN: { type: text, secret: true, description: 'Another.' },
  PROXY: { type: httpUrl, description: 'A proxy.' },
  NAMES: { type: commaList(text), default: ['a', 'b'], description: 'Names.' },
  DATA_DIR: { type: text, default: './data', environmentOnly: true, description: 'A folder.' },
});

const configuration = await readSettings(
  settings,
  { environment: { TOKEN: 'hunter2' }, dotenv: { PROXY: 'http://me:hunter2@proxy:3128' } },
  async () => new Map([['PORT', '81']]),
);

describe('the printed configuration', () => {
  it('is a table of keys, values and where they come from, without a secret', () => {
    expect(formatConfiguration(settings, configuration).split('\n')).toEqual([
      'PORT         81                        stored',
      'LINK         at 81                     default',
      'TOKEN        (set)                     environment',
      'OTHER_TOKEN  (none)                    default',
      'PROXY        http://me:***@proxy:3128  .env',
      'NAMES        a,b                       default',
      'DATA_DIR     ./data                    default',
    ]);
  });
});

describe('one printed setting', () => {
  it('is the value alone, (set) for a secret, and nothing when there is none', () => {
    expect(showSetting(settings, configuration, 'PORT')).toBe('81');
    expect(showSetting(settings, configuration, 'LINK')).toBe('at 81');
    expect(showSetting(settings, configuration, 'TOKEN')).toBe('(set)');
    expect(showSetting(settings, configuration, 'OTHER_TOKEN')).toBe('');
  });

  it('must be a known one', () => {
    expect(() => showSetting(settings, configuration, 'PROT')).toThrow(/nearest known one is PORT/);
  });
});

describe('the page about the configuration', () => {
  it('has a row for each key with its default and what it is for', () => {
    const rows = settingsMarkdown(settings).split('\n').slice(-8, -1);
    expect(rows).toEqual([
      '| `PORT` | `8080` | The port. |',
      '| `LINK` | from `PORT` | A link. |',
      '| `TOKEN` | none | A token, a\\|&lt;b>. Secret. |',
      '| `OTHER_TOKEN` | none | Another. Secret. |',
      '| `PROXY` | none | A proxy. |',
      '| `NAMES` | `a,b` | Names. |',
      '| `DATA_DIR` | `./data` | A folder. Environment or `.env` only. |',
    ]);
  });
});
