import { percentile } from '../../figures.ts';
import type { RunningDesktop } from '../desktop-house.ts';
import { roleOf } from '../house-processes.ts';
import type { Link } from '../link.ts';
import { startCpuMeter } from '../server-cpu.ts';
import { closeAll, type Ground, timeChanges, view } from './ground.ts';
import type { ProtocolClient } from './protocol-client.ts';
import { measureSlowViewer } from './slow-viewer.ts';

/**
 * All Desktops change ten times a second, each with two viewers, one of them behind a slow line: the others must not feel it, and its own
 * picture gets coarser and ends in stills, while what it clicks still arrives.
 */
export async function measureFourDesktops(ground: Ground, slow: Link, slowRoundTripMs: number): Promise<void> {
  const { house, figures } = ground;
  const [first, ...others] = house.desktops;
  if (!first) throw new Error('a house was opened without a Desktop');

  const two = await Promise.all([view(ground, first), view(ground, first)]);
  const alone = await timeChanges(ground, new Map([[first, two]]));
  await closeAll(two);
  figures.add('one Desktop, two viewers: draw → packet p50', percentile(alone, 0.5), 'ms');
  figures.add('one Desktop, two viewers: draw → packet p95', percentile(alone, 0.95), 'ms');

  const watching = new Map<RunningDesktop, ProtocolClient[]>([[first, [await view(ground, first)]]]);
  for (const desktop of others)
    watching.set(desktop, await Promise.all([view(ground, desktop), view(ground, desktop)]));
  const slowOne = await view(ground, first, { mode: 'control', port: slow.port });
  const cpu = startCpuMeter({ processes: house.processes, roleOf });
  const together = await timeChanges(ground, watching);
  for (const [name, used] of cpu.used())
    if (used / ground.seconds > 0.005)
      console.log(`    CPU of ${name.padEnd(36)} ${((100 * used) / ground.seconds).toFixed(1)} %`);
  const sum = [...cpu.used().values()].reduce((all, each) => all + each, 0);
  figures.add('four Desktops, eight viewers: CPU', (100 * sum) / ground.seconds, '% of a core');
  figures.add('four Desktops: draw → packet p50, the seven quick ones', percentile(together, 0.5), 'ms');
  figures.add('four Desktops: draw → packet p95, the seven quick ones', percentile(together, 0.95), 'ms');
  figures.add('four Desktops / one, p95', percentile(together, 0.95) / percentile(alone, 0.95), '×', { atMost: 1.3 });

  await measureSlowViewer(ground, first, { client: slowOne, port: slow.port, roundTripMs: slowRoundTripMs });
  await closeAll([slowOne, ...[...watching.values()].flat()]);
}
