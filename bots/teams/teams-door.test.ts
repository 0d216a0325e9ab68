import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../core/dispatch/testing/core-for-tests.ts';
import type { Runtime } from '../../core/runtimes/runtime.ts';
import { inChannel, personal } from './testing/activities.ts';
import { openTeamsHouse, type TeamsHouse } from './testing/teams-house.ts';

let house: TeamsHouse;

afterEach(async () => {
  await house.close();
});

const chat = 'a:1personal';

/** Writes a reply word by word. */
function writing(words: readonly string[], everyMs: number): Runtime {
  return {
    name: 'writing',
    async run({ write, signal }) {
      for (let n = 1; n <= words.length; n++) {
        write(words.slice(0, n).join(' '));
        await sleep(everyMs, undefined, { signal });
      }
      return { text: words.join(' ') };
    },
  };
}

async function deliveries() {
  return await house.database.query<{ state: string; error: string | null; failures: number }>(
    `select d.state, d.error, d.failures from delivery d join binding b on b.id = d.binding where b.kind = 'teams' order by d.created_at`,
  );
}

async function delivered(n = 1): Promise<void> {
  await eventually(async () => (await deliveries()).filter((row) => row.state === 'delivered').length === n);
}

const messages = () => [...house.connector.messages(chat).values()];
const calls = () => house.connector.calls.filter((call) => call.action !== 'typing');

describe('a reply that grows', () => {
  it('is one message, edited at most once a second, and ends as the whole reply', async () => {
    const words = Array.from({ length: 30 }, (_, n) => `word${n}`);
    house = await openTeamsHouse({ runtime: writing(words, 100) });
    await house.send(personal(house, 'write'));
    await delivered();
    expect(messages()).toEqual([words.join(' ')]);
    const [first, ...edits] = calls();
    expect(first).toMatchObject({ action: 'post', text: expect.stringMatching(/^word0/) });
    expect(first?.text.length).toBeLessThan(words.join(' ').length);
    expect(edits.length).toBeGreaterThanOrEqual(2);
    for (const [n, edit] of edits.entries()) {
      expect(edit).toMatchObject({ action: 'edit', message: edits[0]?.message });
      // The finished reply need not wait for the second to be over.
      if (n < edits.length - 1) expect(edit.at - (calls()[n]?.at ?? 0)).toBeGreaterThan(950);
    }
    expect(first?.body).toMatchObject({ type: 'message', textFormat: 'markdown' });
  });

  it('is posted anew where somebody has deleted it meanwhile', async () => {
    house = await openTeamsHouse({ runtime: writing(['one', 'two', 'three'], 900) });
    await house.send(personal(house, 'write'));
    const message = await eventually(async () => [...house.connector.messages(chat).keys()][0]);
    house.connector.remove(chat, message);
    await delivered();
    expect(messages()).toEqual(['one two three']);
  });
});

describe('a long reply', () => {
  it('goes out in several messages, in order, and keeps its place when one of them is refused', async () => {
    const paragraphs = Array.from({ length: 50 }, (_, n) => `Paragraph ${n}: ${'lorem ipsum '.repeat(60).trim()}.`);
    house = await openTeamsHouse({
      runtime: { name: 'long', run: async () => ({ text: paragraphs.join('\n\n') }) },
    });
    let refused = 0;
    house.connector.refuse((call) => {
      if (call.action !== 'post' || messages().length !== 2 || refused > 0) return undefined;
      refused++;
      return { status: 503, retryAfter: '1' };
    });
    await house.send(personal(house, 'at length'));
    await delivered();
    expect(refused).toBe(1);
    expect(messages().join('\n\n')).toBe(paragraphs.join('\n\n'));
    expect(messages().length).toBeGreaterThan(3);
    for (const text of messages()) expect(text.length).toBeLessThanOrEqual(12_000);
  });
});

describe('what Teams refuses', () => {
  it('with 429 waits as long as it says, asked once, and is no failed attempt', async () => {
    house = await openTeamsHouse();
    const asked: number[] = [];
    house.connector.refuse((call) => {
      if (call.action === 'typing') return undefined;
      asked.push(performance.now());
      return asked.length === 1 ? { status: 429, retryAfter: '2' } : undefined;
    });
    await house.send(personal(house, 'slow down'));
    await delivered();
    expect(asked).toHaveLength(2);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(1950);
    expect((await deliveries())[0]?.failures).toBe(0);
  });

  it('with 429 while a reply grows, it is left in peace for that long', async () => {
    const words = Array.from({ length: 40 }, (_, n) => `word${n}`);
    house = await openTeamsHouse({ runtime: writing(words, 100) });
    const asked: number[] = [];
    house.connector.refuse((call) => {
      if (call.action !== 'edit') return undefined;
      asked.push(performance.now());
      return asked.length === 1 ? { status: 429, retryAfter: '3' } : undefined;
    });
    await house.send(personal(house, 'write'));
    await delivered();
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(2950);
    expect(messages()).toEqual([words.join(' ')]);
  });

  it('with 5xx waits, and with no answer at all', async () => {
    house = await openTeamsHouse();
    let asked = 0;
    house.connector.refuse((call) => (call.action !== 'typing' && asked++ === 0 ? { status: 502 } : undefined));
    await house.send(personal(house, 'again'));
    await delivered();
    expect(asked).toBe(2);
    expect(messages()).toEqual(['echo: again']);
  });

  it.each([
    [403, 'BotNotInConversationRoster'],
    [404, 'ConversationNotFound'],
    [413, 'MessageSizeTooBig'],
  ])('with %i for good is dead at once, and says why', async (status, code) => {
    house = await openTeamsHouse();
    let asked = 0;
    house.connector.refuse((call) => {
      if (call.action === 'typing') return undefined;
      asked++;
      return { status, code };
    });
    await house.send(personal(house, 'hello'));
    const [dead] = await eventually(async () => {
      const rows = await deliveries();
      return rows.some((row) => row.state === 'dead') && rows;
    });
    expect(dead).toMatchObject({ state: 'dead', error: expect.stringContaining(`Teams answered ${status} (${code}`) });
    expect(asked).toBe(1);
  });

  it('because the bot cannot sign in waits, and names what to mend', async () => {
    house = await openTeamsHouse();
    const serviceUrl = 'https://smba.trafficmanager.net/emea/';
    await house.send(personal(house, 'hello', { serviceUrl }));
    const waiting = await eventually(async () => (await deliveries()).find((row) => row.state === 'waiting'));
    expect(waiting).toMatchObject({ error: expect.stringContaining('MicrosoftAppPassword is not set'), failures: 0 });
    expect(house.warnings.join()).toContain('MicrosoftAppPassword');
  });
});

describe('who speaks', () => {
  it('is said where it is not the one whom people expect there', async () => {
    house = await openTeamsHouse();
    await house.database.query(
      `insert into worker (organisation, id, name, kind) values ('default', 'w-scout', 'Scout', 'ai')`,
    );
    await house.database.query(
      `insert into stream (organisation, id, name, kind) values ('default', 's-activation-scout', 'Scout at work', 'activation')`,
    );
    await house.send(inChannel(house, '@Scout, look', '1'));
    await house.send(inChannel(house, '@and you?', '2'));
    await delivered(2);
    expect([...house.connector.messages('19:general@thread.tacv2;messageid=1').values()]).toEqual([
      '**Scout**\n\necho: Scout, look',
    ]);
    expect([...house.connector.messages('19:general@thread.tacv2;messageid=2').values()]).toEqual(['echo: and you?']);
  });
});
