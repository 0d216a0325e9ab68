import { z } from 'zod';
import { defineSettings, type SettingsValues } from '../config/setting.ts';
import { bytes, commaList, seconds, wholeNumber } from '../config/setting-types.ts';

const sizeRule = 'it must be a width and a height in pixels such as 1920x1080 or 1080x1920: 320 to 3840 by 320 to 2400';

/** `1920x1080`, within what a Host takes (sandbox/host/messages.ts). */
const screenSize = z
  .string()
  .toLowerCase()
  .regex(/^\d{3,4}x\d{3,4}$/, sizeRule)
  .refine((value) => {
    const { width, height } = sizeOf(value);
    return width >= 320 && width <= 3840 && height >= 320 && height <= 2400;
  }, sizeRule);

/** The pixels of a DESKTOP_SIZE. */
export function sizeOf(value: string): { width: number; height: number } {
  const [width = 0, height = 0] = value.split('x').map(Number);
  return { width, height };
}

/** A host name, or `*.name` with all below it. */
const allowedHost = z
  .string()
  .toLowerCase()
  .regex(
    /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    'it must be host names such as example.com or *.example.com, with commas between them',
  );

/** What the core decides about Desktops. Where they run is for the Hosts to say. */
export const desktopSettings = defineSettings({
  HOST_TOKEN: {
    type: z.string().min(16, 'it must have at least 16 characters'),
    secret: true,
    environmentOnly: true,
    description:
      'What sandbox hosts show to the core; the same for both. Without it the core takes only the host that it starts itself.',
  },
  DESKTOPS_PER_ORGANISATION: {
    type: wholeNumber({ min: 0, max: 100_000 }),
    default: 20,
    description: 'How many Desktops an Organisation may have running at once.',
  },
  DESKTOP_SIZE: {
    type: screenSize,
    default: '1920x1080',
    description: 'The size of a new Desktop, such as 1920x1080 or, as a phone in portrait, 1080x1920.',
  },
  DESKTOP_IDLE: {
    type: seconds,
    default: 1800,
    description:
      'A Desktop that nobody watches and no agent uses stops after so long, in seconds. Its home folder stays.',
  },
  DESKTOP_NETWORK: {
    type: commaList(allowedHost),
    default: [],
    description: 'The host names that Desktops may reach: example.com,*.example.org. Without any they have no network.',
  },
  DESKTOP_MEMORY: {
    type: bytes.refine((value) => value >= 128 * 1024 ** 2, 'it must be at least 128MiB'),
    default: 2 * 1024 ** 3,
    description: 'The memory of a Desktop, all its processes together, in bytes.',
  },
  DESKTOP_CPUS: {
    type: z
      .string()
      .regex(/^\d{1,3}(\.\d+)?$/, 'it must be a number of cores such as 2 or 0.5')
      .transform(Number)
      .refine((value) => value >= 0.1, 'it must be at least 0.1'),
    default: 2,
    description: 'How many cores a Desktop may use.',
  },
  DESKTOP_PROCESSES: {
    type: wholeNumber({ min: 32, max: 100_000 }),
    default: 512,
    description: 'How many processes and threads a Desktop may have.',
  },
  DESKTOP_DISK: {
    type: bytes.refine((value) => value >= 64 * 1024 ** 2, 'it must be at least 64MiB'),
    default: 5 * 1024 ** 3,
    description: 'How much a Desktop may write, its home folder included, in bytes.',
  },
  DESKTOP_FILES_KEPT: {
    type: seconds,
    default: 30 * 86_400,
    description: 'How long clips that were posted are kept, in seconds.',
  },
});

/** What these keys hold once read. */
export type DesktopSettings = Omit<SettingsValues<typeof desktopSettings>, 'HOST_TOKEN'>;

/** These keys' values among everybody's, with the default of each that is not there. */
export function desktopValues(all: Readonly<Record<string, unknown>>): DesktopSettings {
  const { HOST_TOKEN: _, ...declared } = desktopSettings;
  return Object.fromEntries(
    Object.entries(declared).map(([key, setting]) => [key, all[key] ?? setting.default]),
  ) as DesktopSettings;
}
