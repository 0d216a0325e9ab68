import { readFileSync } from 'node:fs';

/** The clock of /proc on every Linux that Node runs on: proc(5), `sysconf(_SC_CLK_TCK)`. */
const ticksPerSecond = 100;

/** What processes have used of the processor. Linux only. */
export interface CpuMeter {
  /** Seconds of a core used since the meter was made, by role. Of a process that came meanwhile all counts, of one that went nothing. */
  used(): Map<string, number>;
}

/** Measures these processes, without their descendants. */
export function startCpuMeter({ processes, roleOf }: { processes(): number[]; roleOf(pid: number): string }): CpuMeter {
  const before = new Map(processes().map((pid) => [pid, secondsOf(pid)]));
  return {
    used() {
      const used = new Map<string, number>();
      for (const pid of processes()) {
        const role = roleOf(pid);
        used.set(role, (used.get(role) ?? 0) + secondsOf(pid) - (before.get(pid) ?? 0));
      }
      return used;
    },
  };
}

/** Seconds of a core that a process has used since it began; 0 when it has ended. */
export function secondsOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // fields 14 and 15 of proc_pid_stat(5), counted after the name
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    // it ended while we looked
    return 0;
  }
}
