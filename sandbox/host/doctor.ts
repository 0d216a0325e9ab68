import { chooseDriver } from '../drivers/choose-driver.ts';
import type { Report } from '../drivers/driver.ts';
import type { HostSettings } from '../settings.ts';
import { installCommand, missingPackages, packageNames } from '../system-packages.mjs';
import { probeSound } from './decide-sound.ts';
import { formatTable } from './format-table.ts';
import { probePictures } from './probe-pictures.ts';

/**
 * `npx switchboard host doctor`: what this machine can do for Desktops, and what to do about the rest.
 *
 * @returns the exit code: 0 if a Desktop can run here
 */
export async function doctor(
  settings: HostSettings,
  write = (text: string) => void process.stdout.write(text),
): Promise<number> {
  const [choice, encoders] = await Promise.all([
    chooseDriver({ owner: 'doctor', unisolated: settings.SANDBOX_UNISOLATED }),
    probePictures(settings),
  ]);
  const sound = choice.driver ? await probeSound(choice.driver) : [];
  const rows = (part: string, reports: readonly Report[]) =>
    reports.map(({ name, works, detail }) => [part, name, works ? 'yes' : 'no', detail]);
  write(
    formatTable([
      ['', '', 'works', ''],
      ...rows('driver', choice.reports),
      ...rows('picture', [...encoders, stills()]),
      ...rows('sound', [wanted(settings.DESKTOP_SOUND), ...sound]),
      ...rows('system', [packages()]),
      ...rows('page', [publicUrl(settings.PUBLIC_URL)]),
    ]),
  );
  const verdict = choice.driver
    ? `A Desktop can run here, by the ${choice.driver.name} driver.`
    : `No Desktop can run here: ${choice.refusal}.`;
  write(`\n${verdict}\n`);
  return choice.driver ? 0 : 1;
}

function packages(): Report {
  const name = 'packages';
  if (process.platform !== 'linux') return { name, works: true, detail: 'Desktops run on Linux; here in containers' };
  const missing = missingPackages();
  if (missing.length === 0) return { name, works: true, detail: `all are installed: ${packageNames.join(', ')}` };
  return { name, works: false, detail: `missing: ${missing.join(', ')}. Run: ${installCommand(missing)}` };
}

function wanted(sound: boolean): Report {
  const detail = sound ? 'Desktops are to have sound' : 'off: with DESKTOP_SOUND=true who watches may listen, too';
  return { name: 'DESKTOP_SOUND', works: sound, detail };
}

function stills(): Report {
  return { name: 'stills', works: true, detail: 'JPEG by sharp: what viewers get where nothing encodes H.264' };
}

/** Browsers decode video (WebCodecs) in a secure context only: https, or this machine. */
function publicUrl(url: string | undefined): Report {
  const name = 'PUBLIC_URL';
  if (url === undefined)
    return { name, works: true, detail: 'not set here: the core knows it. It needs https, or localhost, for video' };
  const secure = URL.canParse(url) && (new URL(url).protocol === 'https:' || isLocal(new URL(url).hostname));
  const detail = secure
    ? `${url}: browsers decode video there`
    : `${url}: browsers decode video over https or at localhost only, so people get stills`;
  return { name, works: secure, detail };
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\./.test(host);
}
