import { readFileSync } from 'node:fs';
import { findDescendants } from '../../e2e/process-tree.ts';

/**
 * The processes of a core that have to do with showing Desktops: all of its own (core, database, host, streamers), and of what runs inside
 * the sandboxes the X servers alone. Linux, with Desktops of the `process` driver.
 */
export function findServerProcesses(core: number): number[] {
  const all = [core, ...findDescendants(core)];
  const inside = new Set(all.filter((pid) => nameOf(pid) === 'bwrap').flatMap((pid) => [pid, ...findDescendants(pid)]));
  return all.filter((pid) => !inside.has(pid) || nameOf(pid) === 'Xvfb');
}

/** What a process of a core is for, as figures name it. */
export function roleOf(pid: number): string {
  const command = commandOf(pid);
  if (command.includes('streamer-process.ts')) return 'streamer';
  if (command.includes('sandbox/index.ts')) return 'host';
  if (command.includes('main.ts')) return 'core';
  return command.startsWith('postgres') || command.includes('/postgres ') ? 'PostgreSQL' : nameOf(pid);
}

/** The processes of a core with one role. */
export function findByRole(core: number, role: string): number[] {
  return findServerProcesses(core).filter((pid) => roleOf(pid) === role);
}

function nameOf(pid: number): string {
  return readOf(pid, 'comm').trim();
}

function commandOf(pid: number): string {
  return readOf(pid, 'cmdline').replaceAll('\0', ' ');
}

/** Processes come and go while we look: what can no longer be read has no name. */
function readOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
