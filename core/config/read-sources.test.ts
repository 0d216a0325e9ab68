import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { readSources } from './read-sources.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switchboard-env-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function read(content: string) {
  await writeFile(join(directory, '.env'), content);
  return readSources({ environment: {}, directory }).dotenv;
}

describe('.env', () => {
  it('may be missing', () => {
    expect(readSources({ environment: { PORT: '1' }, directory })).toEqual({ environment: { PORT: '1' }, dotenv: {} });
  });

  it('has keys, comments, quotes, exports and values over several lines', async () => {
    const content = [
      "\uFEFF# don't mind me",
      'PORT=8081 # the port',
      'export HOST="0.0.0.0"',
      '',
      'EMPTY=',
      'URL=http://a/?b=c',
      'KEY="-----BEGIN',
      'not a pair',
      '-----END"',
      "NAME='it is # not a comment'",
    ].join('\r\n');
    expect(await read(content)).toMatchObject({
      PORT: '8081',
      HOST: '0.0.0.0',
      EMPTY: '',
      URL: 'http://a/?b=c',
      KEY: expect.stringMatching(/BEGIN\r?\nnot a pair\r?\n-----END$/),
      NAME: 'it is # not a comment',
    });
  });

  it.each(['PORT 8081', 'PORT: 8081', '=8081', 'MY PORT=8081'])(
    'names the line that says nothing: %s',
    async (line) => {
      await expect(read(`# one\nHOST=::1\n${line}\n`)).rejects.toThrow(/^\.env line 3 is not KEY=value/);
    },
  );

  it('that is a folder is an error and not an empty file', async () => {
    await mkdir(join(directory, '.env'));
    expect(() => readSources({ environment: {}, directory })).toThrow(ConfigurationError);
    expect(() => readSources({ environment: {}, directory })).toThrow(/cannot read .*\.env \(EISDIR\)/);
  });
});
