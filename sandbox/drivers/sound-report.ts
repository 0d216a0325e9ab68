import { installCommand, missingSoundPackages } from '../system-packages.mjs';
import type { Report } from './driver.ts';

/** Whether Desktops have what they are heard by. `missing`: a sentence that says what is not there, or null. */
export function soundReport(missing: string | null): Report {
  const detail = missing ?? 'a Desktop can have a sound server of its own';
  return { name: 'pulseaudio', works: missing === null, detail };
}

/** The same where Desktops run this host's own programs. */
export function hostSoundReport(): Report {
  if (process.platform !== 'linux') return soundReport('Desktops have sound on Linux only');
  const missing = missingSoundPackages();
  return soundReport(missing.length === 0 ? null : `missing: ${missing.join(', ')}. Run: ${installCommand(missing)}`);
}
