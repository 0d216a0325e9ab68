import { pino } from 'pino';
import { beforeEach, expect, it } from 'vitest';
import { bestEncoder, probeEncoders } from '../encode/probe-encoders.ts';
import { decideSound } from './decide-sound.ts';
import { isDesktop } from './testing/core-stand-in.ts';
import { driverStandIn } from './testing/driver-stand-in.ts';
import { openHostHouse, wish } from './testing/host-house.ts';

const encodes = bestEncoder(await probeEncoders()) !== null;
let logged: string[];
let asked = 0;

beforeEach(() => {
  logged = [];
  asked = 0;
});

function decide(wanted: boolean, detail: string | null): Promise<boolean> {
  const driver = driverStandIn({ screens: false });
  driver.probeSound = async () => {
    asked += 1;
    return { name: 'pulseaudio', works: detail === null, detail: detail ?? 'it is there' };
  };
  const log = pino({ level: 'warn' }, { write: (line) => void logged.push(line) });
  return decideSound({ DESKTOP_SOUND: wanted }, driver, log);
}

it('nothing is tried where no sound is wanted', async () => {
  expect(await decide(false, null)).toBe(false);
  expect([asked, logged]).toEqual([0, []]);
});

it.skipIf(!encodes)('Desktops have sound where it is wanted and everything is there', async () => {
  expect(await decide(true, null)).toBe(true);
  expect(logged).toEqual([]);
});

it.skipIf(!encodes)('what is missing is logged once, with what to do about it', async () => {
  expect(await decide(true, 'missing: pulseaudio. Run: apt-get install pulseaudio')).toBe(false);
  expect(logged).toHaveLength(1);
  expect(JSON.parse(logged[0] ?? '')).toMatchObject({
    msg: 'DESKTOP_SOUND is set, but Desktops have no sound',
    name: 'pulseaudio',
    detail: 'missing: pulseaudio. Run: apt-get install pulseaudio',
  });
});

it.each([true, false])('what was decided (%s) holds for each Desktop of the host', async (sound) => {
  await using house = await openHostHouse({ sound });
  house.core.want([wish('d-1')]);
  await house.core.hears(isDesktop('d-1', 'running'));
  expect(house.driver.running.get('d-1')?.request.sound).toBe(sound);
});
