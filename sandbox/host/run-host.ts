import { chooseDriver } from '../drivers/choose-driver.ts';
import { bestEncoder } from '../encode/probe-encoders.ts';
import type { HostSettings } from '../settings.ts';
import { keepSpareStreamer } from '../stream/spare-streamer.ts';
import { decideSound } from './decide-sound.ts';
import { describeHost } from './describe-host.ts';
import type { HostStarted } from './embedding-messages.ts';
import { type RunningHost, startHost } from './host.ts';
import { openHostFolder } from './host-folder.ts';
import type { HostLog } from './host-log.ts';
import { probePictures } from './probe-pictures.ts';
import { HostConfigurationError } from './read-host-settings.ts';

/**
 * Tries what this machine can do and runs the host with it.
 *
 * @returns the host, and what to say of it
 * @throws HostConfigurationError without HOST_TOKEN, or when another host runs in its folder
 */
export async function runHost(
  settings: HostSettings,
  log: HostLog,
): Promise<{ running: RunningHost; started: HostStarted }> {
  const { HOST_TOKEN: token, SANDBOX_UNISOLATED: unisolated } = settings;
  if (token === undefined)
    throw new HostConfigurationError('HOST_TOKEN is not set: give the core and this host the same one');
  const folder = await openHostFolder({
    directory: settings.HOST_DIR,
    homes: settings.HOMES_DIR,
    name: settings.HOST_NAME,
  });
  try {
    const [choice, encoders] = await Promise.all([
      chooseDriver({ owner: folder.host, unisolated }),
      probePictures(settings),
    ]);
    const { driver, reports: drivers } = choice;
    const sound = await decideSound(settings, driver, log);
    const streamers = keepSpareStreamer(bestEncoder(encoders) !== null);
    const host = await startHost({
      settings,
      folder,
      token,
      driver,
      drivers,
      encoders,
      sound,
      startStreamer: streamers.start,
      prepareStreamer: streamers.prepare,
      log,
    });
    const line = describeHost({ capacity: host.capacity, choice, encoders, sound });
    const stop = async () => {
      streamers.close();
      await host.stop();
    };
    return { running: { capacity: host.capacity, stop }, started: { works: driver !== null, line } };
  } catch (error) {
    await folder.close();
    throw error;
  }
}
