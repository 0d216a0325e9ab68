import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openLink } from './check-links.ts';
import type { Desktop } from './desktop.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import { makeLink } from './viewer-links.ts';

let house: DesktopHouse;
let desktop: Desktop;
beforeAll(async () => {
  house = await openDesktopHouse();
  await house.addHost();
  desktop = await house.running();
});
afterAll(() => house[Symbol.asyncDispose]());
beforeEach(() => house.core.database.query('delete from signing_key'));

const kids = async () =>
  (await house.core.database.query<{ kid: string }>('select kid from signing_key order by created_at')).map(
    ({ kid }) => kid,
  );

/** The key as it would be had it been made so long ago. */
async function age(kid: string, interval: string): Promise<void> {
  await house.core.database.query(
    `update signing_key set created_at = created_at - $2::interval, retires_at = retires_at - $2::interval where kid = $1`,
    [kid, interval],
  );
}

/** A process that has just started reads the keys anew and looks after them at once. */
async function started() {
  const { core } = await house.addCore();
  const { kid } = await core.desktops.keys.signer();
  return { core, kid };
}

it('a key that signs no more still opens what it has signed, a day and more; then it is removed, by whichever core is there', async () => {
  const first = await started();
  const link = await makeLink(first.core, {
    organisation: 'default',
    desktop: desktop.id,
    mode: 'watch',
    subject: null,
  });
  const token = new URL(link).hash.slice(1);

  await age(first.kid, '31 days 12 hours');
  const second = await started();
  expect(second.kid).not.toBe(first.kid);
  await expect(openLink(second.core, token, { desktop: desktop.id, modes: ['watch'] })).resolves.toMatchObject({
    mode: 'watch',
  });
  expect(await kids()).toEqual([first.kid, second.kid]);

  await age(first.kid, '2 days');
  await Promise.all([started(), started(), started()]);
  await expect.poll(kids).toEqual([second.kid]);
  await expect(
    openLink((await started()).core, token, { desktop: desktop.id, modes: ['watch'] }),
  ).rejects.toMatchObject({
    code: 'link_invalid',
  });
});

it('a key that has just retired is left alone, and so is the one that signs', async () => {
  const { kid: signing } = await started();
  await house.core.database.query(
    `insert into signing_key (kid, public_key, private_key, created_at, retires_at)
     select aged.kid, k.public_key, k.private_key, k.created_at - age, k.retires_at - age from signing_key k,
       (values ('retired', interval '32 days 23 hours'), ('old', interval '33 days 1 hour')) aged(kid, age) where k.kid = $1`,
    [signing],
  );
  expect(await kids()).toEqual(['old', 'retired', signing]);
  await started();
  await expect.poll(kids).toEqual(['retired', signing]);
});

it('a house where nobody made a link for long has none left, and makes one for the next', async () => {
  const { kid } = await started();
  await age(kid, '90 days');
  await house.addCore();
  await expect.poll(kids).toEqual([]);
  const { kid: next } = await started();
  expect(await kids()).toEqual([next]);
});
