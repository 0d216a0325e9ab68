import type { Driver, Report } from '../drivers/driver.ts';
import { probeSoundEncoder } from '../encode/probe-encoders.ts';
import type { HostSettings } from '../settings.ts';
import type { HostLog } from './host-log.ts';

/** What sound takes: a sound server where this driver's Desktops run, and an encoder here. One report for each. */
export function probeSound(driver: Driver): Promise<Report[]> {
  return Promise.all([driver.probeSound(), probeSoundEncoder()]);
}

/**
 * Whether the Desktops of this host have sound. Where it is wanted and something is missing, that is logged once, and they are silent.
 * Nothing is tried unless it is wanted.
 */
export async function decideSound(
  { DESKTOP_SOUND: wanted }: Pick<HostSettings, 'DESKTOP_SOUND'>,
  driver: Driver | null,
  log: HostLog,
): Promise<boolean> {
  if (!wanted || !driver) return false;
  const missing = (await probeSound(driver)).filter(({ works }) => !works);
  for (const { name, detail } of missing)
    log.warn({ name, detail }, 'DESKTOP_SOUND is set, but Desktops have no sound');
  return missing.length === 0;
}
