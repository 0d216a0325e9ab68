import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startChromium } from '../chromium.ts';
import type { Link } from '../link.ts';
import type { Ground } from './ground.ts';

const noteWithinMs = 60_000;
const page = z.object({ state: z.string().nullable(), note: z.string().nullable() });

/** A real page on the slow line comes to stills, and says so. */
export async function showSlowPage({ house, painters, figures }: Ground, slow: Link): Promise<void> {
  const [first] = house.desktops;
  if (!first) throw new Error('a house was opened without a Desktop');
  await using chromium = await startChromium({ width: 390, height: 844 });
  const tab = await chromium.newPage();
  painters.get(first)?.start(10, () => {});
  await tab.navigate(`http://127.0.0.1:${slow.port}/d/${first.id}#${first.tokens.watch}`);
  const look = async () =>
    page.parse(
      await tab.evaluate(`(() => {
        const note = document.querySelector('#note');
        return {
          state: document.body?.dataset.state ?? null,
          note: note?.checkVisibility() ? note.textContent.trim() : null,
        };
      })()`),
    );
  const began = performance.now();
  let seen = await look();
  while (seen.state !== 'stills' && performance.now() - began < noteWithinMs) {
    await sleep(250);
    seen = await look();
  }
  const took = (performance.now() - began) / 1000;
  await sleep(500);
  const { state, note } = await look();
  painters.get(first)?.stop();
  console.log(`    a page on the slow line: ${state}, "${note}"`);
  figures.add(
    'a page on the slow line: until it shows stills and says so',
    state === 'stills' && note ? took : Number.NaN,
    's',
    {
      atMost: noteWithinMs / 1000,
    },
  );
}
