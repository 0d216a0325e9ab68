import { expect, it } from 'vitest';
import { createSchedule } from './schedule.ts';

const packet = 20_000;

it('plays packets as far apart as they were recorded, however they arrive', () => {
  const schedule = createSchedule();
  const first = schedule.at(5_000_000, 10) ?? 0;
  expect(first).toBeGreaterThan(10);
  expect(schedule.at(5_000_000 + packet, 10.05)).toBeCloseTo(first + 0.02);
  expect(schedule.at(5_000_000 + 2 * packet, 10.051)).toBeCloseTo(first + 0.04);
});

it('leaves out what is more than 100 ms late', () => {
  const schedule = createSchedule();
  const first = schedule.at(0, 10) ?? 0;
  expect(schedule.at(packet, first + 0.02 + 0.09)).not.toBeNull();
  expect(schedule.at(2 * packet, first + 0.04 + 0.11)).toBeNull();
});

it('counts anew when everything is late', () => {
  const schedule = createSchedule();
  schedule.at(0, 10);
  for (let index = 1; index <= 10; index += 1) expect(schedule.at(index * packet, 20)).toBeNull();
  expect(schedule.at(11 * packet, 20)).toBeGreaterThan(20);
});
