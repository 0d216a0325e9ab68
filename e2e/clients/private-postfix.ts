import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { findFreePort } from '../../core/store/embedded/free-port.ts';
import { findAccount } from '../../core/store/embedded/server-account.ts';

/** How to get it, for messages. */
export const POSTFIX_INSTALL = 'apt-get install --yes --no-install-recommends postfix';

/** A postfix of our own, apart from the system's: it takes mail on 127.0.0.1 and passes all of it on to one server. */
export type PrivatePostfix = {
  port: number;
  /** Its log so far. */
  log(): string;
  /** How often it said `status=<status>` of a delivery, with this text in the same line. */
  count(status: 'sent' | 'deferred' | 'bounced', saying?: string): number;
  /** Ends it and removes everything. */
  close(): Promise<void>;
};

/**
 * Installs postfix where it is missing and may be installed (Debian, root), without setting up or starting the system's instance.
 * Gives a sentence that says what to do when it cannot.
 */
export async function ensurePostfix(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'postfix has to be started by root: run this as root';
  if (await succeeds('postconf', ['mail_version'])) return undefined;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const selections = 'postfix postfix/main_mailer_type select No configuration\n';
  if (!(await succeeds('debconf-set-selections', [], { env, input: selections }))) return `run: ${POSTFIX_INSTALL}`;
  const [program = '', ...args] = POSTFIX_INSTALL.split(' ');
  await succeeds(program, ['update'], { env });
  return (await succeeds(program, args, { env }))
    ? undefined
    : `postfix could not be installed; run: ${POSTFIX_INSTALL}`;
}

/**
 * Starts a postfix with configuration, queue and data in a folder for temporary files, that passes everything on to
 * `127.0.0.1:relayPort` and tries again every second or two. Must be root. Source: postconf(5), master(5).
 */
export async function startPrivatePostfix(relayPort: number): Promise<PrivatePostfix> {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-postfix-'));
  const port = await findFreePort();
  await writeConfiguration(folder, { port, relayPort });
  const config = join(folder, 'etc');
  const log = () => {
    const file = join(folder, 'log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const close = async () => {
    // Ends the master of this folder's queue and all its daemons at once; the system's own has another queue.
    await succeeds('postfix', ['-c', config, 'abort']);
    await rm(folder, { recursive: true, force: true });
  };
  if (!(await succeeds('postfix', ['-c', config, 'start']))) {
    const said = log();
    await close();
    throw new Error(`postfix did not start:\n${said}`);
  }
  return {
    port,
    log,
    count: (status, saying = '') =>
      log()
        .split('\n')
        .filter((line) => line.includes(`status=${status}`) && line.includes(saying)).length,
    close,
  };
}

async function writeConfiguration(folder: string, ports: { port: number; relayPort: number }): Promise<void> {
  // Its daemons drop root and must still get there.
  await chmod(folder, 0o755);
  for (const name of ['etc', 'queue', 'data']) await mkdir(join(folder, name));
  const account = findAccount(await readFile('/etc/passwd', 'utf8'), 'postfix');
  if (!account) throw new Error('there is no account "postfix"');
  await chown(join(folder, 'data'), account.uid, account.gid);
  const settings = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    myhostname: 'relay.localhost',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    alias_database: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    smtpd_peername_lookup: 'no',
    smtp_dns_support_level: 'disabled',
    relayhost: `[127.0.0.1]:${ports.relayPort}`,
    minimal_backoff_time: '1s',
    maximal_backoff_time: '2s',
    queue_run_delay: '1s',
    maillog_file: join(folder, 'log'),
    maillog_file_prefixes: folder,
  };
  const main = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  await writeFile(join(folder, 'etc', 'main.cf'), `${main.join('\n')}\n`);
  await writeFile(join(folder, 'etc', 'master.cf'), masterFile(ports.port));
}

/** The services that passing mail on needs, none of them in a chroot. */
function masterFile(port: number): string {
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'proxymap unix - - n - - proxymap',
    'smtp unix - - n - - smtp',
    'relay unix - - n - - smtp',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
  ];
  return `${services.join('\n')}\n`;
}

async function succeeds(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<boolean> {
  const child = spawn(program, args, { env: options.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [code] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return code === 0;
}
