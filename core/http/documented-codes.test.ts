import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import * as errors from '../errors.ts';

const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');

function isErrorKind(value: unknown): value is new (message: string) => errors.SwitchboardError {
  return typeof value === 'function' && value !== errors.SwitchboardError;
}

it.each(Object.values<unknown>(errors).filter(isErrorKind))('docs/errors.md lists the code of %o', (ErrorKind) => {
  expect(page).toContain(`\n| \`${new ErrorKind('').code}\` |`);
});

it('docs/errors.md lists the codes of the HTTP app, and each code once', () => {
  const listed = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code);
  expect(listed).toEqual(
    expect.arrayContaining(['internal', 'not_ready', 'host_not_allowed', 'port_in_use', 'too_large']),
  );
  expect(new Set(listed).size).toBe(listed.length);
});
