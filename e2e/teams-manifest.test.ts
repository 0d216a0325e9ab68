import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildManifest } from '../manifests/teams/build-manifest.ts';
import { buildPackage } from '../manifests/teams/build-package.ts';
import { ownEnvironment } from './processes.ts';

const config = {
  MicrosoftAppId: '6f1c1f5e-3b1a-4a53-9a55-2f0a5f3d9c11',
  PUBLIC_URL: 'https://switchboard.example.com',
};

const guid = z.string().regex(/^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/);
const url = z
  .string()
  .max(2048)
  .regex(/^https:\/\//);
const scopes = z.array(z.enum(['team', 'personal', 'groupChat'])).max(3);
const command = z.strictObject({ title: z.string().max(32), description: z.string().max(128) });

/** What version 1.19 of the published schema says of the parts that are used here. */
const schema = z.strictObject({
  $schema: url,
  manifestVersion: z.literal('1.19'),
  version: z.string().max(256),
  id: guid,
  developer: z.strictObject({
    name: z.string().max(32),
    websiteUrl: url,
    privacyUrl: url,
    termsOfUseUrl: url,
  }),
  name: z.strictObject({ short: z.string().max(30), full: z.string().max(100) }),
  description: z.strictObject({ short: z.string().max(80), full: z.string().max(4000) }),
  icons: z.strictObject({ color: z.literal('color.png'), outline: z.literal('outline.png') }),
  accentColor: z.string().regex(/^#[0-9a-fA-F]{6}$/),
  bots: z
    .array(
      z.strictObject({
        botId: guid,
        scopes,
        isNotificationOnly: z.boolean(),
        supportsFiles: z.boolean(),
        commandLists: z.array(z.strictObject({ scopes, commands: z.array(command).max(10) })).max(3),
      }),
    )
    .length(1),
  permissions: z.array(z.enum(['identity', 'messageTeamMembers'])).max(2),
  validDomains: z.array(z.string().max(2048)).max(16),
  defaultInstallScope: z.enum(['personal', 'team', 'groupChat', 'meetings']),
  webApplicationInfo: z.strictObject({ id: guid, resource: z.string().max(2048) }).optional(),
  authorization: z
    .strictObject({
      permissions: z.strictObject({
        resourceSpecific: z
          .array(z.strictObject({ name: z.string().max(128), type: z.enum(['Application', 'Delegated']) }))
          .max(16),
      }),
    })
    .optional(),
});

describe('the manifest of the Teams app', () => {
  it('is what the schema allows, for this bot and this server', () => {
    const manifest = schema.parse(buildManifest(config));
    expect(manifest).toMatchObject({
      id: config.MicrosoftAppId,
      bots: [{ botId: config.MicrosoftAppId, scopes: ['personal', 'team', 'groupChat'] }],
      validDomains: ['switchboard.example.com'],
    });
    expect(manifest.authorization?.permissions.resourceSpecific).toEqual([
      { name: 'ChannelMessage.Read.Group', type: 'Application' },
    ]);
  });

  it('asks for no messages where mentions are enough, and is still what the schema allows', () => {
    const manifest = schema.parse(
      buildManifest({ ...config, mentionsOnly: true, name: 'Acme agents', version: '2.1.0' }),
    );
    expect(manifest.authorization).toBeUndefined();
    expect(manifest.name.short).toBe('Acme agents');
  });

  it.each([
    [{ MicrosoftAppId: undefined }, /MicrosoftAppId/],
    [{ MicrosoftAppId: 'my-bot' }, /MicrosoftAppId/],
    [{ PUBLIC_URL: 'http://localhost:8080' }, /PUBLIC_URL.*https/],
    [{ name: 'a name of more than thirty letters' }, /30/],
    [{ version: 'one' }, /1\.0\.0/],
  ])('is not made of %o', (wrong, sentence) => {
    expect(() => buildManifest({ ...config, ...wrong })).toThrow(sentence);
  });
});

describe('the package of the Teams app', () => {
  it('holds the manifest and icons of the sizes that Teams wants', () => {
    const files = unzip(buildPackage(config));
    expect([...files.keys()]).toEqual(['manifest.json', 'color.png', 'outline.png']);
    expect(schema.safeParse(JSON.parse(String(files.get('manifest.json')))).success).toBe(true);
    expect(sizeOf(files.get('color.png'))).toEqual([192, 192]);
    expect(sizeOf(files.get('outline.png'))).toEqual([32, 32]);
    // Teams refuses an outline with a colour in it.
    const pixels = pixelsOf(files.get('outline.png'), 32);
    expect(pixels.every(([r, g, b]) => r === 255 && g === 255 && b === 255)).toBe(true);
    expect(pixels.some(([, , , alpha]) => alpha === 0) && pixels.some(([, , , alpha]) => alpha === 255)).toBe(true);
  });
});

describe('npx node manifests/teams/build.ts', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchboard-manifest-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const build = (env: Record<string, string>, ...args: string[]) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, '../manifests/teams/build.ts'), ...args], {
      cwd: folder,
      env: { ...ownEnvironment(), ...env },
    });

  it('writes the package for the configuration', async () => {
    const { stdout } = await build(config, '--mentions-only', '--version', '1.2.3');
    const file = join(folder, 'switchboard-teams.zip');
    expect(stdout).toBe(`${file}\n`);
    const manifest = JSON.parse(String(unzip(await readFile(file)).get('manifest.json')));
    expect(manifest).toMatchObject({ id: config.MicrosoftAppId, version: '1.2.3' });
  });

  it('says in one sentence what is missing', async () => {
    await expect(build({ PUBLIC_URL: config.PUBLIC_URL })).rejects.toMatchObject({
      code: 1,
      stderr: 'switchboard: MicrosoftAppId must be the GUID of the Azure bot: set it\n',
    });
  });
});

/** The files of a zip of stored entries, by its central directory, each checked against its CRC. */
function unzip(zip: Buffer): Map<string, Buffer> {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  const files = new Map<string, Buffer>();
  for (let n = zip.readUInt16LE(end + 10), at = zip.readUInt32LE(end + 16); n > 0; n--) {
    const nameLength = zip.readUInt16LE(at + 28);
    const local = zip.readUInt32LE(at + 42);
    const size = zip.readUInt32LE(at + 24);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const data = zip.subarray(start, start + size);
    expect(crc32(data)).toBe(zip.readUInt32LE(at + 16));
    files.set(zip.toString('latin1', at + 46, at + 46 + nameLength), data);
    at += 46 + nameLength;
  }
  return files;
}

function sizeOf(png: Buffer | undefined): [number, number] {
  return [png?.readUInt32BE(16) ?? 0, png?.readUInt32BE(20) ?? 0];
}

/** The pixels of a PNG as it is drawn here: unfiltered RGBA in one block. */
function pixelsOf(png: Buffer | undefined, size: number): number[][] {
  const at = png?.indexOf('IDAT') ?? -1;
  const rows = inflateSync(png?.subarray(at + 4) ?? Buffer.alloc(0));
  const pixels: number[][] = [];
  for (let n = 0; n < size * size; n++) {
    const start = Math.floor(n / size) * (1 + 4 * size) + 1 + 4 * (n % size);
    pixels.push([...rows.subarray(start, start + 4)]);
  }
  return pixels;
}
