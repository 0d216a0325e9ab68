/**
 * `npm run bench -- stream-load [--json] [--quick] [--minutes 10]`: Desktops with many viewers, one of them on a slow line; fifty on one
 * Desktop; a streamer that is killed; viewers that come and go; and minutes of full motion, after which no memory and no descriptor may be
 * missing. The viewers are clients of the protocol, but one. `--quick`: shorter, and no soak.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { createFigures } from '../figures.ts';
import { openDesktops } from '../stream/desktop-house.ts';
import { startLink } from '../stream/link.ts';
import { measureFiftyViewers } from '../stream/load/fifty-viewers.ts';
import { measureFourDesktops } from '../stream/load/four-desktops.ts';
import { prepareGround } from '../stream/load/ground.ts';
import { showSlowPage } from '../stream/load/slow-page.ts';
import { comeAndGo, soak } from '../stream/load/wear.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, minutes: { type: 'string', default: '10' } },
});
const slowLine = { roundTripMs: 200, bitsPerSecond: 1e6 };

const figures = createFigures();
await using cleanup = new AsyncDisposableStack();
console.log(`load ${loadavg()[0]?.toFixed(1)} at the start`);
const house = cleanup.use(await openDesktops({ count: 4, width: 1280, height: 720 }));
const ground = await prepareGround(house, figures, options.quick ? 10 : 30, cleanup);
const slow = cleanup.use(await startLink(house.port));
slow.behaveLike(slowLine);

await measureFourDesktops(ground, slow, slowLine.roundTripMs);
await showSlowPage(ground, slow);
await measureFiftyViewers(ground);
await comeAndGo(ground);
if (!options.quick) await soak(ground, Number(options.minutes));
console.log(`load ${loadavg()[0]?.toFixed(1)} at the end`);
await cleanup.disposeAsync();
if (options.json) console.log(JSON.stringify(figures.all()));
process.exitCode = figures.met() ? 0 : 1;
