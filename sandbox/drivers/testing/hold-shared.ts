import { spawnSync } from 'node:child_process';

/** The numbers of mmap(2) and read(2) by what this machine's processor is; perl has neither call for itself. */
const numbers: Record<string, { mmap: number; read: number }> = {
  x64: { mmap: 9, read: 0 },
  arm64: { mmap: 222, read: 63 },
};

/** Whether {@link holdShared} can be run here. */
export const canHoldShared =
  process.platform === 'linux' && process.arch in numbers && !spawnSync('perl', ['-v']).error;

/**
 * A command that takes memory by MAP_SHARED and MAP_ANONYMOUS, writes to all of it, and so do its children. Every process then says
 * `holds` in a line, and sleeps.
 */
export function holdShared({ megabytes, children = 0, seconds = 9 }: HeldMemory): string {
  const { mmap, read } = numbers[process.arch] ?? { mmap: -1, read: -1 };
  const program = [
    `$at = syscall(${mmap}, 0, ${megabytes} << 20, 3, 0x21, -1, 0);`,
    `open($zero, "<", "/dev/zero");`,
    `sub touch { syscall(${read}, fileno($zero), $at + ($_ << 20), 1 << 20) for 0 .. ${megabytes - 1} }`,
    `touch(); for (1 .. ${children}) { last if fork() == 0 } touch();`,
    `syswrite(STDOUT, "holds\\n"); sleep ${seconds};`,
  ];
  return `perl -e '${program.join(' ')}'`;
}

/** How much, and for how long. */
export interface HeldMemory {
  megabytes: number;
  children?: number;
  seconds?: number;
}
