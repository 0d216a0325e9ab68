import { createContainerDriver } from './container/container-driver.ts';
import type { Driver, Report } from './driver.ts';
import { createProcessDriver } from './process/process-driver.ts';
import { createUnisolatedDriver } from './unisolated-driver.ts';

/** The driver of a host, or why it has none. `reports`: one of each that was tried, for `host doctor`. */
export type DriverChoice = { driver: Driver; reports: Report[] } | { driver: null; refusal: string; reports: Report[] };

/**
 * The first driver that isolates and works here: bubblewrap, then containers. Plain processes only where the administrator has said
 * so (`SANDBOX_UNISOLATED=1`), and only if nothing better works.
 *
 * @param owner the Host's id, of `[A-Za-z0-9_-]`: sandboxes carry it, so that the same Host finds what it left behind
 */
export async function chooseDriver(options: { owner: string; unisolated: boolean }): Promise<DriverChoice> {
  const drivers = [createProcessDriver(options), createContainerDriver(options)];
  if (options.unisolated) drivers.push(createUnisolatedDriver(options));
  const reports = await Promise.all(drivers.map((driver) => driver.probe()));
  const driver = drivers.find((_, n) => reports[n]?.works);
  if (driver) return { driver, reports };
  const why = reports.map(({ name, detail }) => `${name}: ${detail}`).join('; ');
  return {
    driver: null,
    refusal:
      `nothing here isolates a Desktop (${why}). Install bubblewrap (apt-get install bubblewrap), or set ` +
      'SANDBOX_UNISOLATED=1 on a machine that holds nothing but Desktops',
    reports,
  };
}
