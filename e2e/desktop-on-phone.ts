import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { type Browser, openChromium, phone } from './clients/chromium.ts';
import { ask, linksOf, type MailHouse, pair } from './clients/desktop-mail.ts';
import { hasSwaks, SWAKS_INSTALL } from './clients/swaks.ts';
import type { WorkerMcp } from './clients/worker-mcp.ts';
import type { MeasuredRun } from './measured-run.ts';

/** What the walk needs of a house, however it is run; its settings must include those of a relay that is trusted. */
export type DesktopHouse = MailHouse & {
  mcp(worker: string): Promise<WorkerMcp>;
  /** All that was logged so far. */
  log(): string | Promise<string>;
};

/** What the walk expects, and where it puts pictures of the phone. */
export type WalkOptions = { picture: 'live' | 'stills'; pictures: string | undefined };

const person = 'olga@example.com';
const typed = 'héllo 世界 🙂';
const opens = 10;

/**
 * Mails `desktop` to the assistant, opens the link of the reply on a phone, watches the desktop move, taps on a terminal and types.
 * Measures each against its goal.
 */
export async function walkToDesktop(run: MeasuredRun, house: DesktopHouse, options: WalkOptions): Promise<void> {
  if (!(await hasSwaks())) throw new Error(`swaks is not installed; run: ${SWAKS_INSTALL}`);
  await pair(house, person);
  await refuseGuest(run, house);

  const asked = performance.now();
  const reply = await ask(house, person, 'desktop');
  const [link] = linksOf(reply);
  run.say(`the reply came after ${Math.round(performance.now() - asked)} ms`);
  run.goal('the reply has a link', link ? 'yes' : `no: ${reply.text}`, 'yes', link !== undefined);
  if (!link) return;
  const desktop = /\/d\/([^#/]+)/.exec(link)?.[1] ?? '';
  const owner = await house.mcp('w-owner');
  const runInside = (command: string) => owner.value('desktop_run', { desktop, command });

  await runInside(
    'rm -f ~/typed; setsid xterm -fa Monospace -fs 14 -e sh -c "stty -echo; cat > ~/typed" >/dev/null 2>&1 & sleep 0.7',
  );
  const browser = await openChromium(phone);
  run.defer(() => browser[Symbol.asyncDispose]());
  const page = await tapAndType(run, browser, link, async () => {
    const file = await owner.value('desktop_read_file', { desktop, path: 'typed' });
    return String(file.text ?? '');
  });
  if (options.pictures) await page.screenshot({ path: join(options.pictures, `phone-${options.picture}.png`) });
  if (options.picture === 'stills') await saysWhy(run, page);
  await page.close();

  await runInside(
    'setsid xterm -fullscreen -e sh -c "while :; do date +%T.%N; sleep 0.05; done" >/dev/null 2>&1 & sleep 0.7',
  );
  await firstFrames(run, browser, link, options.picture);
  const tokens = reply.text.match(/#[\w-]+\.[\w-]+\.[\w-]+/g) ?? [];
  const lines = (await house.log()).split('\n');
  const telling = lines.filter((line) => tokens.some((token) => line.includes(token.slice(1)))).length;
  run.goal(
    `lines of the log with one of the ${tokens.length} tokens`,
    telling,
    '0 of some',
    telling === 0 && tokens.length > 0,
  );
}

async function refuseGuest(run: MeasuredRun, house: DesktopHouse): Promise<void> {
  const answer = await ask(house, 'guest@example.net', 'desktop');
  run.goal(
    'a guest is told',
    answer.text.split('\n')[0] ?? '',
    'a refusal without a link',
    linksOf(answer).length === 0,
  );
}

/**
 * From the begin of the navigation to the first picture, by the page's own clock: what drives the browser from outside is slower than the
 * page. A second lies between two openings, since an encoder makes no second keyframe within one.
 */
async function firstFrames(run: MeasuredRun, browser: Browser, link: string, picture: string): Promise<void> {
  const took: number[] = [];
  for (let n = 0; n < opens; n += 1) {
    const page = await browser.context.newPage();
    await page.addInitScript({ content: noteFirstPicture });
    await sleep(1000);
    await page.goto(link, { waitUntil: 'commit' });
    await shown(page);
    took.push(await page.evaluate<number>('window.firstPicture'));
    if (n === opens - 1) await moving(run, page, picture);
    await page.close();
  }
  took.sort((a, b) => a - b);
  const p50 = took[Math.floor(took.length / 2)] ?? Number.NaN;
  const max = took.at(-1) ?? Number.NaN;
  run.goal('tap → first frame, p50', `${p50.toFixed(0)} ms`, '≤ 500 ms', p50 <= 500);
  run.goal('tap → first frame, the slowest of ten', `${max.toFixed(0)} ms`, '≤ 1000 ms', max <= 1000);
}

/** Runs in the page, before its own scripts. */
const noteFirstPicture = `
  document.addEventListener('DOMContentLoaded', () => {
    const observer = new MutationObserver(() => {
      if (!['live', 'stills'].includes(document.body.dataset.state)) return;
      window.firstPicture = performance.now();
      observer.disconnect();
    });
    observer.observe(document.body, { attributeFilter: ['data-state'] });
  });
`;

async function moving(run: MeasuredRun, page: Page, picture: string): Promise<void> {
  const seen = new Set<string>();
  for (let n = 0; n < 20; n += 1) {
    seen.add(await page.evaluate(`document.querySelector('#screen').toDataURL('image/png')`));
    await sleep(100);
  }
  run.goal('different pictures in two seconds', seen.size, 'at least 4', seen.size >= 4);
  const state = await page.evaluate('document.body.dataset.state');
  run.goal('state of the page', String(state), picture, state === picture);
}

/** There is a picture: the page says it of itself. */
async function shown(page: Page): Promise<void> {
  await page.locator('body[data-state=live], body[data-state=stills]').waitFor({ timeout: 15_000 });
}

/** Why there are stills only. */
async function saysWhy(run: MeasuredRun, page: Page): Promise<void> {
  // biome-ignore lint/performance/useDomNodeTextContent: only what is shown counts
  const said = (await page.locator('body').innerText()).replace(/\s+/g, ' ');
  run.goal('the page says why', said, 'that the host cannot encode video', /encode/i.test(said));
}

/** A tap on the terminal, then what a phone's keyboard sends. */
async function tapAndType(
  run: MeasuredRun,
  browser: Browser,
  link: string,
  read: () => Promise<string>,
): Promise<Page> {
  const page = await browser.context.newPage();
  await page.goto(link);
  await shown(page);
  const box = await page.locator('#screen').boundingBox();
  if (!box) throw new Error('the page shows no screen');
  await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
  await sleep(500);
  await page.getByRole('button', { name: /keyboard/i }).tap();
  await page.keyboard.insertText(typed);
  await page.keyboard.press('Enter');
  await sleep(1000);
  await page.keyboard.press('Control+d');
  let arrived = '';
  for (let n = 0; n < 20 && arrived.trimEnd() !== typed; n += 1) {
    await sleep(250);
    arrived = await read();
  }
  run.goal(
    'typed on the phone, arrived in the terminal',
    JSON.stringify(arrived.trimEnd()),
    JSON.stringify(typed),
    arrived.trimEnd() === typed,
  );
  return page;
}
