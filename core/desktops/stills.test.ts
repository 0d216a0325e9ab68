import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import type { WorkerId } from '../store/ids.ts';
import type { Desktop } from './desktop.ts';
import { stopDesktop } from './stop-desktop.ts';
import { type DesktopHouse, type HouseCore, openDesktopHouse } from './testing/desktop-house.ts';
import { firstPicture, type StandInHost } from './testing/stand-in-host.ts';
import { makeLink } from './viewer-links.ts';

let house: DesktopHouse;
let host: StandInHost;
/** A core with limits that are soon reached, and hardly anything made good of them while a test lasts. */
let strict: HouseCore;
beforeAll(async () => {
  house = await openDesktopHouse();
  host = await house.addHost({ capacity: 20 });
  strict = await house.addCore({
    stills: { stillsOfLink: { burst: 5, perSecond: 0.02 }, stillsOfDesktop: { burst: 8, perSecond: 0.02 } },
  });
});
afterAll(() => house[Symbol.asyncDispose]());

let desktop: Desktop;
beforeEach(async () => {
  desktop = await house.running();
});

async function newLink(subject: WorkerId | null = null): Promise<string> {
  const wanted = { organisation: 'default', desktop: desktop.id, mode: 'watch', subject } as const;
  return new URL(await makeLink(house.core, wanted)).hash.slice(1);
}

async function still(token: string, options: { query?: string; etag?: string; at?: string } = {}): Promise<Response> {
  const { query = '', etag, at = house.url } = options;
  return await fetch(`${at}/d/${desktop.id}/screenshot${query}`, {
    headers: { authorization: `Bearer ${token}`, ...(etag === undefined ? {} : { 'if-none-match': etag }) },
  });
}

/** One after the other, each another picture. */
async function manyStills(token: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n++) {
    const response = await still(token, { query: `?quality=${n + 1}`, at: strict.url });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

const isStill = ({ method }: Record<string, unknown>) => method === 'still';

describe('stills that are asked for too fast', () => {
  it('are refused with the time to wait', async () => {
    const token = await newLink();
    const made = host.requests.filter(isStill).length;
    expect(await manyStills(token, 5)).toEqual([200, 200, 200, 200, 200]);
    const refused = await still(token, { query: '?quality=90', at: strict.url });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({
      code: 'too_many_requests',
      title: 'Too Many Requests',
      detail: expect.stringContaining('ask again in'),
    });
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(50);
    expect(host.requests.filter(isStill).length - made).toBe(5);
  });

  it('are made again after the time to wait', async () => {
    const { url: at } = await house.addCore({
      stills: { stillsOfLink: { burst: 1, perSecond: 0.25 }, stillsOfDesktop: { burst: 8, perSecond: 0.25 } },
    });
    const token = await newLink();
    let quality = 1;
    const another = () => still(token, { query: `?quality=${quality++}`, at });
    const refused = await eventually(async () => {
      const response = await another();
      return response.status === 429 && response;
    });
    await sleep(Number(refused.headers.get('retry-after')) * 1000);
    expect((await another()).status).toBe(200);
  });

  it('hold up nobody with another link, nor who looks at another desktop', async () => {
    const greedy = await newLink();
    expect(await manyStills(greedy, 7)).toContain(429);
    expect((await still(await newLink('w-owner'), { at: strict.url })).status).toBe(200);
    desktop = await house.running();
    expect((await still(await newLink(), { at: strict.url })).status).toBe(200);
  });

  it('are no more for who has many links', async () => {
    const statuses = [...(await manyStills(await newLink(), 5)), ...(await manyStills(await newLink(), 5))];
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 429, 429]);
  });

  it('cost next to nothing while the screen stays as it is', async () => {
    const token = await newLink();
    const first = await still(token, { at: strict.url });
    const etag = first.headers.get('etag') ?? '';
    await first.arrayBuffer();
    for (let n = 0; n < 25; n++) expect((await still(token, { etag, at: strict.url })).status).toBe(304);
  });

  it('are told what became of their link, and not to wait', async () => {
    const token = await newLink();
    expect(await manyStills(token, 7)).toContain(429);
    await stopDesktop(house.core, 'default', desktop.id, 'it was stopped');
    expect((await still(token, { at: strict.url })).status).toBe(410);
    expect((await still('x', { at: strict.url })).status).toBe(401);
  });

  it('are many more than four pages without video and ten walls ask for', async () => {
    const token = await newLink();
    const statuses: number[] = [];
    const until = performance.now() + 2500;
    const poll = async (link: string, everyMs: number, quality: number) => {
      for (let next = performance.now(); next < until; next += everyMs) {
        await sleep(Math.max(0, next - performance.now()));
        host.draw(Buffer.from(`drawn for ${quality}`));
        statuses.push((await still(link, { query: `?quality=${quality}` })).status);
      }
    };
    const walls = await Promise.all(Array.from({ length: 10 }, () => newLink('w-owner')));
    await Promise.all([
      ...[60, 65, 70, 75].map((quality) => poll(token, 100, quality)),
      ...walls.map((link, n) => poll(link, 1000, 20 + n)),
    ]);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

describe('the same still, asked for by several at the same moment', () => {
  /** Holds back what the host answers, until all of them have asked. */
  async function askTogether(etags: (string | undefined)[], answer: { serial: number; data?: Buffer }[]) {
    const release = Promise.withResolvers<void>();
    const asked = vi.spyOn(house.core.desktops.channels, 'to');
    const made = host.requests.length;
    host.answer('still', async () => {
      const { serial, data } = answer[Math.min(host.requests.length - made, answer.length) - 1] ?? { serial: 0 };
      await release.promise;
      return { result: { serial, width: 1280, height: 720, format: 'jpeg' }, ...(data ? { data } : {}) };
    });
    try {
      const token = await newLink();
      const answers: Promise<Response>[] = [];
      for (const [n, etag] of etags.entries()) {
        answers.push(still(token, etag === undefined ? {} : { etag }));
        await expect
          .poll(() => asked.mock.settledResults.filter(({ type }) => type === 'fulfilled').length)
          .toBe(n + 1);
      }
      await expect.poll(() => host.requests.length).toBeGreaterThan(made);
      release.resolve();
      const responses = await Promise.all(answers);
      return {
        asked: host.requests.slice(made).filter(isStill),
        statuses: responses.map(({ status }) => status),
        pictures: await Promise.all(responses.map(async (response) => Buffer.from(await response.arrayBuffer()))),
      };
    } finally {
      asked.mockRestore();
    }
  }

  const etagOf = (serial: number) => `"${desktop.generation}-${serial}"`;

  it('is made once, and those who have it already are told so', async () => {
    const { asked, statuses, pictures } = await askTogether(
      [undefined, undefined, etagOf(6), etagOf(7)],
      [{ serial: 7, data: firstPicture }],
    );
    expect(asked.length).toBe(1);
    expect(statuses).toEqual([200, 200, 200, 304]);
    expect(pictures.slice(0, 3)).toEqual([firstPicture, firstPicture, firstPicture]);
  });

  it('is made for who has it not, though it was asked for first by who has it', async () => {
    const { asked, statuses, pictures } = await askTogether(
      [etagOf(7), etagOf(7), undefined],
      [{ serial: 7 }, { serial: 7, data: firstPicture }],
    );
    expect(asked.map(({ unless }) => unless)).toEqual([7, undefined]);
    expect(statuses).toEqual([304, 304, 200]);
    expect(pictures.at(-1)).toEqual(firstPicture);
  });
});
