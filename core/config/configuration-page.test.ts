import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

describe('docs/configuration.md', () => {
  it('says of every setting what the code declares', async () => {
    // By a variable, because core imports nothing of the house's root: only this check of the whole does.
    const root = join(import.meta.dirname, '../..');
    const { settings } = await import(join(root, 'main.ts'));
    const { settingsMarkdown } = await import('./show-settings.ts');
    expect(
      await readFile(join(root, 'docs/configuration.md'), 'utf8'),
      'run: npx switchboard config page > docs/configuration.md',
    ).toBe(settingsMarkdown(settings));
  });
});
