import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const launcher = fileURLToPath(new URL('../launch.mjs', import.meta.url));
const systemPackages = fileURLToPath(new URL('../sandbox/system-packages.mjs', import.meta.url));
const lock = {
  packages: { '': {}, 'node_modules/node': { version: '1.0.0' }, 'node_modules/tool': { version: '1.0.0', dev: true } },
};

/** A clone whose dependencies were installed by hand: the launcher, a lockfile, a `node`, and a main.ts to be started. */
let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'switchboard-launch-'));
  await copyFile(launcher, join(clone, 'launch.mjs'));
  await mkdir(join(clone, 'sandbox'));
  await copyFile(systemPackages, join(clone, 'sandbox', 'system-packages.mjs'));
  await chmod(join(clone, 'launch.mjs'), 0o755);
  await writeFile(join(clone, 'package-lock.json'), JSON.stringify(lock));
  await mkdir(join(clone, 'node_modules/node/bin'), { recursive: true });
  await symlink(process.execPath, join(clone, 'node_modules/node/bin/node'));
  await writeFile(
    join(clone, 'node_modules/.package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/node': { version: '1.0.0' } } }),
  );
});
afterEach(() => rm(clone, { recursive: true, force: true }));

type Launched = ChildProcessByStdio<null, Readable, Readable>;

function launch(args: string[], env: NodeJS.ProcessEnv = {}): Launched {
  return spawn(process.execPath, [join(clone, 'launch.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: tmpdir(),
    env: { ...process.env, SYSTEM_PACKAGES: 'off', ...env },
  });
}

async function outcome(child: Launched) {
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { stdout, stderr, code };
}

const main = (source: string) => writeFile(join(clone, 'main.ts'), source);

test('words go to the command line of main.ts, in the folder of the clone, and its output and exit code come back alone', async () => {
  await main(`console.log(JSON.stringify(process.argv.slice(2)), process.cwd()); process.exitCode = 3;`);
  expect(await outcome(launch(['token', 'w-owner', '--x']))).toEqual({
    stdout: `["token","w-owner","--x"] ${clone}\n`,
    stderr: '',
    code: 3,
  });
});

test('the launcher can be called as node_modules/.bin/switchboard from then on', async () => {
  await main(`console.log('hello');`);
  await outcome(launch(['start']));
  const link = spawn(join(clone, 'node_modules/.bin/switchboard'), ['who'], { stdio: ['ignore', 'pipe', 'pipe'] });
  expect((await outcome(link)).stdout).toBe('hello\n');
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s reaches the program once, and its exit is waited for',
  async (signal) => {
    await main(`
    let count = 0;
    process.on('${signal}', () => { count++; setTimeout(() => { console.log(count); process.exit(7); }, 200); });
    setInterval(() => {}, 1000);
    console.log('up');`);
    const child = launch(['start']);
    child.stdout.once('data', () => {
      child.kill(signal);
      setTimeout(() => child.kill(signal), 50);
    });
    expect(await outcome(child)).toMatchObject({ stdout: 'up\n1\n', code: 7 });
  },
);

test('a program that was killed gives 128 and the number of the signal', async () => {
  await main(`process.kill(process.pid, 'SIGKILL');`);
  expect((await outcome(launch(['start']))).code).toBe(137);
});

test('what is installed is looked through once, and again when the lockfile has changed', async () => {
  await main(`console.log('up');`);
  await outcome(launch(['start']));
  await unlink(join(clone, 'node_modules/.package-lock.json'));
  expect((await outcome(launch(['start']))).stdout).toBe('up\n');

  await writeFile(join(clone, 'package-lock.json'), JSON.stringify({ ...lock, changed: true }));
  const npm = join(clone, 'npm');
  await mkdir(npm);
  await writeFile(join(npm, 'npm-cli.js'), `console.log('npm', ...process.argv.slice(2)); process.exitCode = 1;`);
  const changed = await outcome(launch(['start'], { npm_execpath: join(npm, 'npm-cli.js') }));
  expect(changed).toMatchObject({ stdout: '', code: 1 });
  expect(changed.stderr).toMatch(
    /^Installing .*\nnpm install --no-save --omit=dev .*\nswitchboard: npm could not install/,
  );
});

test('the tests want the test tools on top of what a start installed', async () => {
  await mkdir(join(clone, 'npm'));
  const npm = join(clone, 'npm/npm-cli.js');
  await writeFile(npm, `console.log(...process.argv.slice(2)); process.exitCode = 1;`);
  const { stderr } = await outcome(launch(['test'], { npm_execpath: npm }));
  expect(stderr).toContain('Installing the test tools');
  expect(stderr).toContain('--include=dev');
  // npm did not finish: the next start does not trust what is there
  expect(await readFile(join(clone, 'node_modules/.switchboard-installing'), 'utf8')).toBe('');
});

test('two starts at once install once', async () => {
  await main(`console.log('up');`);
  await rm(join(clone, 'node_modules'), { recursive: true });
  const npm = join(clone, 'npm-cli.js');
  await writeFile(
    npm,
    `import fs from 'node:fs';
     fs.appendFileSync('installs', 'x');
     fs.mkdirSync('node_modules/node/bin', { recursive: true });
     fs.symlinkSync(process.execPath, 'node_modules/node/bin/node');
     setTimeout(() => {}, 300);`,
  );
  await writeFile(join(clone, 'package.json'), '{"type":"module"}');
  const both = await Promise.all([1, 2].map(() => outcome(launch(['start'], { npm_execpath: npm }))));
  expect(both.map(({ stdout }) => stdout)).toEqual(['up\n', 'up\n']);
  expect(await readFile(join(clone, 'installs'), 'utf8')).toBe('x');
});

test('an unknown whole-system run is refused with the names of those that there are', async () => {
  await mkdir(join(clone, 'e2e/commands'), { recursive: true });
  await writeFile(join(clone, 'e2e/commands/crash.ts'), `console.log(process.argv[2]);`);
  await mkdir(join(clone, 'node_modules/tool'));
  const installed = { 'node_modules/node': { version: '1.0.0' }, 'node_modules/tool': { version: '1.0.0' } };
  await writeFile(join(clone, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
  expect(await outcome(launch(['e2e', 'crash', 'mail']))).toMatchObject({ stdout: 'mail\n', code: 0 });
  expect(await outcome(launch(['e2e', 'crush']))).toMatchObject({
    stderr: 'switchboard: unknown run "crush" (valid: "crash")\n',
    code: 1,
  });
});
