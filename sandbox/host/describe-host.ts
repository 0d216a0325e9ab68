import type { DriverChoice } from '../drivers/choose-driver.ts';
import type { Report } from '../drivers/driver.ts';
import { bestEncoder } from '../encode/probe-encoders.ts';
import { installCommand, missingPackages } from '../system-packages.mjs';

/** What a host can do, in one line for the one who has just started it. */
export function describeHost(about: {
  capacity: number;
  choice: DriverChoice;
  encoders: readonly Report[];
  sound: boolean;
}): string {
  const { capacity, choice, encoders, sound } = about;
  if (!choice.driver) {
    const missing = missingPackages();
    if (missing.length > 0) return `not available: system packages are missing, run ${installCommand(missing)}`;
    return `not available: ${choice.refusal}`;
  }
  const encoder = bestEncoder(encoders);
  const by = encoder === 'remote' ? 'the process at REMOTE_ENCODER' : encoder;
  const picture = by ? `H.264 by ${by}` : 'stills only, since nothing here encodes H.264';
  return `up to ${capacity} at once, isolated by the ${choice.driver.name} driver, ${picture}${sound ? ', with sound' : ''}`;
}
