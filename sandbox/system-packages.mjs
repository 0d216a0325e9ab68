/**
 * The Debian packages that Desktops need, and their installation where that is allowed. Plain JavaScript: launch.mjs calls it with
 * whatever Node the machine has.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A download that takes longer is given up: 150 MB, most of it the browser. */
const downloadSeconds = 300;
/** After an attempt that failed, the next starts don't try again before this has passed. */
const tryAgainAfterMs = 24 * 60 * 60 * 1000;

/** Each with what shows that it is there, so that no package manager has to be asked: programs, or files under /usr/share or /usr/lib. */
const packages = [
  { name: 'xvfb', programs: ['Xvfb'] },
  { name: 'x11-xserver-utils', programs: ['xrandr', 'xsetroot'] },
  { name: 'openbox', programs: ['openbox'] },
  { name: 'xterm', programs: ['xterm'] },
  // Ubuntu's package of that name is a snap, which no sandbox can start
  { name: 'chromium', programs: ['chromium', 'google-chrome'], notOn: 'ubuntu' },
  { name: 'bubblewrap', programs: ['bwrap'] },
  // Latin, Greek, Cyrillic and the terminal; Chinese, Japanese and Korean; emoji
  { name: 'fonts-dejavu-core', file: 'fonts/truetype/dejavu/DejaVuSansMono.ttf' },
  { name: 'fonts-wqy-microhei', file: 'fonts/truetype/wqy/wqy-microhei.ttc' },
  { name: 'fonts-noto-color-emoji', file: 'fonts/truetype/noto/NotoColorEmoji.ttf' },
  // node-av loads them when it starts
  { name: 'libxcb-shm0', library: 'libxcb-shm.so.0' },
  { name: 'libxcb-xfixes0', library: 'libxcb-xfixes.so.0' },
  { name: 'libxcb-shape0', library: 'libxcb-shape.so.0' },
];

/** What Desktops are heard by, where that is wanted: 25 MB to download, which no start does unasked. */
const soundPackages = [
  { name: 'pulseaudio', programs: ['pulseaudio'] },
  { name: 'pulseaudio-utils', programs: ['parec'] },
];

/** The names of all packages that Desktops need on Debian. */
export const packageNames = packages.map(({ name }) => name);

/** The packages whose programs, fonts or libraries are not there. Looks at files only, which takes a few milliseconds. None on other systems than Linux. */
export function missingPackages() {
  if (process.platform !== 'linux') return [];
  return packages
    .filter((wanted) => {
      if (wanted.programs)
        return !(wanted.name === 'chromium' ? wanted.programs.some(isOnPath) : wanted.programs.every(isOnPath));
      if (wanted.file) return !existsSync(join('/usr/share', wanted.file));
      return !libraryFolders().some((folder) => existsSync(join(folder, wanted.library)));
    })
    .map(({ name }) => name);
}

/** The packages for sound whose programs are not there. */
export function missingSoundPackages() {
  return soundPackages.filter(({ programs }) => !programs.every(isOnPath)).map(({ name }) => name);
}

/** What a person types to install them. */
export function installCommand(names) {
  return `sudo apt-get install --no-install-recommends -y ${names.join(' ')}`;
}

/**
 * Installs what is missing where that is allowed: on Debian and its kin, as root or with a sudo that asks for no password, and unless
 * `SYSTEM_PACKAGES=off` is in the environment. Otherwise, or when it fails, says in one line which command would. Never throws: all
 * but Desktops works without these packages.
 *
 * @param {(program: string, args: string[], env: object) => Promise<number>} run starts a program, shows what it writes on stderr, and
 *   resolves with its exit code
 * @param {string} marker a file that remembers an attempt that failed
 * @param {(line: string) => void} say
 */
export async function installSystemPackages(run, marker, say) {
  const missing = missingPackages();
  if (missing.length === 0 || process.env.SYSTEM_PACKAGES === 'off') return;
  const system = distribution();
  const wanted = missing.filter((name) => packages.find((each) => each.name === name)?.notOn !== system);
  const left = missing.filter((name) => !wanted.includes(name));
  if (wanted.length > 0) {
    const prefix = privilege(system);
    if (prefix === undefined) say(`Desktops need system packages: ${installCommand(wanted)}`);
    else if (failedLately(marker, wanted))
      say(`Desktops lack system packages that could not be installed: ${installCommand(wanted)}`);
    else if (!(await install(run, prefix, wanted, say))) {
      remember(marker, wanted);
      say(`The system packages for Desktops could not be installed. Once that is mended: ${installCommand(wanted)}`);
    }
  }
  if (left.length > 0)
    say(`Desktops lack a browser: on ${system}, install one that is no snap, such as google-chrome-stable`);
}

async function install(run, prefix, names, say) {
  say(`Installing system packages for Desktops (once; SYSTEM_PACKAGES=off leaves it): ${names.join(' ')} …`);
  const apt = async (...args) => {
    const [program, ...rest] = [...prefix, 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=60', ...args];
    return (await run(program, rest, { DEBIAN_FRONTEND: 'noninteractive' })) === 0;
  };
  const chosen = ['install', '--no-install-recommends', '-y', ...names];
  // only the download is given up after a time: dpkg is not to be interrupted
  const download = async () => {
    const [program, ...rest] = [
      ...prefix,
      'timeout',
      String(downloadSeconds),
      'apt-get',
      '-qq',
      '--download-only',
      ...chosen,
    ];
    return (await run(program, rest, { DEBIAN_FRONTEND: 'noninteractive' })) === 0;
  };
  if (!hasPackageLists()) await apt('update');
  if (!(await download()) && !((await apt('update')) && (await download()))) return false;
  return apt(...chosen);
}

/** The words before `apt-get`; undefined: not allowed here. */
function privilege(system) {
  if (system === undefined || !isOnPath('apt-get')) return undefined;
  if (process.getuid() === 0) return ['env'];
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore', timeout: 5000 });
    return ['sudo', '-n', '--preserve-env=DEBIAN_FRONTEND'];
  } catch {
    return undefined;
  }
}

/** `debian` or `ubuntu` for these and what is made of them (os-release(5)). */
function distribution() {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    const words = [...text.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap(([, value]) => value.split(' '));
    return ['ubuntu', 'debian'].find((name) => words.includes(name));
  } catch {
    return undefined;
  }
}

function isOnPath(program) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return statSync(join(folder, program)).isFile();
    } catch {
      return false;
    }
  });
}

/** /usr/lib, and the folders of its architectures. */
function libraryFolders() {
  const architectures = readdirSync('/usr/lib').filter((name) => name.includes('-linux-'));
  return ['/usr/lib', '/usr/lib64', ...architectures.map((name) => join('/usr/lib', name))];
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'));
  } catch {
    return false;
  }
}

function failedLately(marker, names) {
  try {
    return readFileSync(marker, 'utf8') === names.join(' ') && Date.now() - statSync(marker).mtimeMs < tryAgainAfterMs;
  } catch {
    return false;
  }
}

function remember(marker, names) {
  try {
    writeFileSync(marker, names.join(' '));
  } catch {
    // somebody else's folder: the next start tries again
  }
}
