import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { startAgentsPlayground } from '../clients/agents-playground.ts';
import { openChromium } from '../clients/chromium.ts';
import { openHouse } from '../house.ts';
import { type MeasuredRun, measuredRun } from '../measured-run.ts';
import { lastMessage, type Script } from '../stand-ins/model-scripts.ts';

/*
 * Talks to the product in Teams as a person does: through the page of Microsoft's Agents Playground, in a headless Chromium. The
 * pictures go to docs/pictures, or to the folder named as the argument.
 */

const pictures = process.argv[2] ?? join(import.meta.dirname, '..', '..', 'docs', 'pictures');
const shownMs = 20_000;

/** What a person asks, and what the scripted model says to it. */
const talk = {
  personal: {
    question: 'What is left to do before the launch?',
    answer:
      'Three things, as far as I was told:\n\n- the **release notes** need a second reader\n- the price list is due on Thursday\n- nobody has booked the room\n\nShall I ask Chloe about the price list?',
  },
  more: { question: 'Yes, please', answer: 'Done. I tell you here as soon as she answers.' },
  group: {
    question: 'who reads the release notes?',
    answer: 'Ben has offered to, on Monday. Dev is away until the 24th, so nobody else is free before.',
  },
  channel: {
    question: 'summarise the open questions of this release',
    answer:
      'Two questions are open:\n\n1. Does the old address keep working, and until when?\n2. Who answers the mails of the first week?',
  },
  followUp: { question: 'who could take the second one?', answer: 'Femi has done it for the last two releases.' },
};

const script: Script = (request) => {
  const asked = lastMessage(request);
  const found = Object.values(talk).find(({ question }) => asked.includes(question));
  return { text: found?.answer ?? `I have no answer to: ${asked}`, chunks: 6, chunkMs: 400 };
};

await measuredRun({ title: 'Teams, through the page of the Agents Playground', limitMinutes: 5 }, async (run) => {
  await mkdir(pictures, { recursive: true });
  const house = await openHouse({ script, env: { TEAMS_ANONYMOUS: '1' } });
  run.defer(() => house[Symbol.asyncDispose]());
  await house.start();
  const playground = await startAgentsPlayground(`${house.core().url}/api/messages`);
  run.defer(() => playground[Symbol.asyncDispose]());
  const page = await openPage(run, playground.url);
  await inPersonalChat(run, page);
  await inGroupChat(run, page);
  await inChannel(run, page);
  const events = await house.query<{ body: string; thread: string }>(
    `select body, thread from event where source_kind = 'human' order by created_at`,
  );
  const threads = new Set(events.map((event) => event.thread));
  run.goal(
    'messages and conversations stored',
    `${events.length} and ${threads.size}`,
    '5 and 3',
    events.length === 5 && threads.size === 3,
  );
  run.say(`pictures: ${pictures}`);
});

async function openPage(run: MeasuredRun, url: string): Promise<Page> {
  const browser = await openChromium({ viewport: { width: 1280, height: 720 } });
  run.defer(() => browser[Symbol.asyncDispose]());
  const page = browser.context.pages()[0] ?? (await browser.context.newPage());
  page.setDefaultTimeout(shownMs);
  await page.goto(url);
  await page.getByText('Write what you want done').first().waitFor();
  await closeLog(page);
  return page;
}

/** The panel at the right shows what goes over the wire: nothing that a person in Teams would see. */
async function closeLog(page: Page): Promise<void> {
  await page.locator('button:right-of(:text("Log Panel"))').last().click();
  await page.getByText('Log Panel').waitFor({ state: 'hidden' });
}

async function inPersonalChat(run: MeasuredRun, page: Page): Promise<void> {
  const box = page.getByRole('textbox').last();
  await write(page, box, talk.personal.question);
  await send(page);
  await isShown(page, 'as far as I was told:');
  const half = !(await page.getByText('Shall I ask Chloe').isVisible());
  await isShown(page, 'Shall I ask Chloe about the price list?');
  run.goal('personal chat: the answer is shown while it is written', half ? 'yes' : 'no', 'yes', half);
  await write(page, box, talk.more.question);
  await send(page);
  await isShown(page, talk.more.answer);
  const shown = await page.getByText('as far as I was told:').count();
  run.goal('personal chat: messages with the first answer', shown, '1', shown === 1);
  await picture(run, page, 'teams-personal');
}

async function inGroupChat(run: MeasuredRun, page: Page): Promise<void> {
  await page.getByRole('treeitem', { name: 'Launch crew' }).click();
  await write(page, page.getByRole('textbox').last(), talk.group.question, { mention: true });
  await send(page);
  await isShown(page, talk.group.answer);
  run.goal('group chat: mention answered', 'yes', 'yes', true);
  await picture(run, page, 'teams-group');
}

async function inChannel(run: MeasuredRun, page: Page): Promise<void> {
  await page.getByRole('treeitem', { name: 'Product - Releases' }).click();
  await write(page, page.getByRole('textbox').first(), talk.channel.question, { mention: true });
  await page.getByRole('button', { name: 'Post' }).click();
  await isShown(page, 'Who answers the mails of the first week?');
  // The newest thread is on top; its own box is the first after the one for a new post.
  await write(page, page.getByRole('textbox').nth(1), talk.followUp.question, { mention: true });
  await page.getByRole('button', { name: 'Send Message' }).first().click();
  await isShown(page, talk.followUp.answer);
  const texts = [talk.channel.question, 'Two questions are open:', talk.followUp.question, talk.followUp.answer];
  const inOrder = [page.getByRole('button', { name: 'Post' }), ...texts.map((text) => page.getByText(text).first())];
  const heights = await Promise.all(inOrder.map(async (each) => (await each.boundingBox())?.y ?? Number.NaN));
  const inThread = heights.every((height, n) => n === 0 || height > (heights[n - 1] ?? Number.NaN));
  run.goal('channel: answers stand in the thread of the mention', inThread ? 'yes' : 'no', 'yes', inThread);
  await picture(run, page, 'teams-channel');
}

async function write(page: Page, box: Locator, text: string, { mention = false } = {}): Promise<void> {
  await box.click();
  if (mention) {
    await page.keyboard.type('@');
    await page.getByRole('menuitem', { name: 'Switchboard' }).click();
    await page.keyboard.type(' ');
  }
  await page.keyboard.type(text);
}

async function send(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Send Message' }).last().click();
}

/** In the conversation itself: the list at the left shows the beginning of each last message. */
async function isShown(page: Page, text: string): Promise<void> {
  await page.getByText(text).last().waitFor({ timeout: shownMs });
}

async function picture(run: MeasuredRun, page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled', caret: 'hide' });
  run.say(`${name}.png`);
}
