import { randomUUID } from 'node:crypto';
import { createContainerDriver } from '../container/container-driver.ts';
import type { Driver, Report } from '../driver.ts';
import { createProcessDriver } from '../process/process-driver.ts';

/** A driver that a test tries, with what it says of itself here. */
export interface TriedDriver {
  driver: Driver;
  report: Report;
  /** Of no other test. */
  owner: string;
}

/** The drivers that isolate, whether they work on this machine or not: tests skip those that do not, with the report's reason. */
export async function triedDrivers(): Promise<TriedDriver[]> {
  const tried = [createProcessDriver, createContainerDriver].map((create) => {
    const owner = `test-${randomUUID().slice(0, 8)}`;
    return { owner, driver: create({ owner }) };
  });
  return Promise.all(tried.map(async (each) => ({ ...each, report: await each.driver.probe() })));
}
