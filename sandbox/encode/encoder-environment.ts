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

/** The environment for a child process that encodes: of the host's own, with its tokens and passwords, it gets nothing else. */
export function encoderEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
