import { openDesktops } from './desktop-house.ts';
import { roleOf } from './house-processes.ts';
import { screen } from './scenes.ts';
import type { Side } from './side.ts';

/** The whole product with one Desktop: core, host, streamer, and the page that its link opens. */
export async function startOurs(): Promise<Side> {
  const house = await openDesktops({ count: 1, ...screen });
  const [desktop] = house.desktops;
  if (!desktop) throw new Error('a house was opened without a Desktop');
  return {
    name: 'ours',
    about: () => encodingsIn(house.log()),
    display: desktop.display,
    port: house.port,
    pageUrl: (through) => `http://localhost:${through}/d/${desktop.id}#${desktop.tokens.watch}`,
    processes: house.processes,
    roleOf,
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}

/** What a host logs when an encoder was opened or its bitrate has changed: encoder, preset, pictures a second. */
function encodingsIn(log: string): string {
  const said = new Map<string, number>();
  for (const line of log.split('\n')) {
    const found = /"encoder":"(\w+)","effort":"?(\w+)"?,"fps":(\d+),"bitrate":(\d+)/.exec(line);
    if (!found) continue;
    const [, encoder, effort, fps, bitrate] = found;
    const words = `${encoder} ${effort}, ${fps} pictures a second, ${Number(bitrate) / 1e6} Mbit/s`;
    said.set(words, (said.get(words) ?? 0) + 1);
  }
  return [...said].map(([words, times]) => (times > 1 ? `${words} (${times} times)` : words)).join('; ') || 'unknown';
}
