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
  const picture = encoder ? `H.264 by ${encoder}` : 'stills only, since nothing here encodes H.264';
  return `up to ${capacity} at once, isolated by the ${choice.driver.name} driver, ${picture}${sound ? ', with sound' : ''}`;
}
