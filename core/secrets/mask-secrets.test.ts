import { describe, expect, it } from 'vitest';
import { maskSecrets } from './mask-secrets.ts';

describe('maskSecrets', () => {
  it.each<[string, string]>([
    ['postgres://switch:hunter2@db:5432/x', 'postgres://switch:***@db:5432/x'],
    ['smtp://me@example.com:p@ss@example.com:587 refused', 'smtp://me@example.com:***@example.com:587 refused'],
    [JSON.stringify({ url: 'smtp://me:a"b\\c@mail:25' }), '{"url":"smtp://me:***@mail:25"}'],
    ['"url":"smtps://me:p@ss:w@mail:465"', '"url":"smtps://me:***@mail:465"'],
    ['redis://:only@cache', 'redis://:***@cache'],
    ['Authorization: Bearer eyJhbGciOi.J9.x_y-z==', 'Authorization: Bearer ***'],
    ['authorization: basic dXNlcjpwYXNz', 'authorization: basic ***'],
  ])('%s', (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it.each([
    'http://localhost:8080/users/me@example.com',
    'http://localhost:8080?mail=me@example.com',
    'mailto:me@example.com',
    '{"url":"http://localhost:8080","mail":"me@example.com"}',
    'the bearer of this letter',
    'at 12:30 me@example.com wrote',
  ])('leaves "%s" as it is', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });
});
