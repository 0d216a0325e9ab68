/** What a process that encodes needs of its environment: where programs, libraries and drivers are. */
const names = [
  'PATH',
  'HOME',
  'LANG',
  'TMPDIR',
  'NODE_COMPILE_CACHE',
  'LD_LIBRARY_PATH',
  'LIBVA_DRIVER_NAME',
  'LIBVA_DRIVERS_PATH',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
];

/**
 * Each encoder that is opened starts threads, and glibc gives a thread its own pool of memory, up to eight for each core, of which none
 * is ever given back: over ten minutes of motion the process grew by 30 MB. Two pools are plenty for what is allocated there.
 */
const memoryPools = { MALLOC_ARENA_MAX: '2' };

/** The environment for a child process that encodes: of the host's own, with its tokens and passwords, it gets nothing else. */
export function encoderEnvironment(): NodeJS.ProcessEnv {
  const given = names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...Object.fromEntries(given), ...memoryPools };
}
