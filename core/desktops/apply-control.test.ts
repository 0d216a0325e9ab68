import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { activationStreamOf } from '../dispatch/steps.ts';
import { eventually } from '../dispatch/testing/core-for-tests.ts';
import { UnavailableError } from '../errors.ts';
import type { ThreadId } from '../store/ids.ts';
import { applyControl, takePersonDid } from './apply-control.ts';
import type { Desktop } from './desktop.ts';
import type { ControlReport } from './host-messages.ts';
import { stopDesktop } from './stop-desktop.ts';
import { type DesktopHouse, openDesktopHouse } from './testing/desktop-house.ts';
import type { StandInHost } from './testing/stand-in-host.ts';

let house: DesktopHouse;
let host: StandInHost;
beforeAll(async () => {
  house = await openDesktopHouse();
  host = await house.addHost({ capacity: 20 });
});
afterAll(() => house[Symbol.asyncDispose]());

const returned = ({ id, generation }: Desktop): ControlReport => ({
  type: 'control',
  desktop: id,
  generation,
  state: 'returned',
  subject: 'w-owner',
  name: 'Owner',
  steps: ['pressed Return'],
});

/** As ask_for_help does. */
async function ask(desktop: Desktop, activation = 'a-asks'): Promise<void> {
  await house.core.database.query('update desktop set help_thread = thread, help_activation = $2 where id = $1', [
    desktop.id,
    activation,
  ]);
}

async function woken(thread: ThreadId | null): Promise<number> {
  const rows = await house.core.database.query(`select 1 from trigger where thread = $1 and worker = 'w-assistant'`, [
    thread,
  ]);
  return rows.length;
}

describe('giving control back wakes the agent that has asked for help', () => {
  it('also when it asks at that very moment', async () => {
    const desktop = await house.running();
    let applied: Promise<void> | undefined;
    await house.core.database.transaction(async (tx) => {
      await tx.query('update desktop set help_thread = thread where id = $1', [desktop.id]);
      applied = applyControl(house.core, 'h-one', returned(desktop));
      // It waits for our row now.
      await eventually(async () => {
        const [lock] = await house.core.database.query(`select 1 from pg_locks where not granted`);
        return lock;
      });
    });
    await applied;
    expect(await woken(desktop.thread)).toBe(1);
  });

  it('or not at all: what could not be said is not forgotten', async () => {
    const desktop = await house.running();
    await ask(desktop);
    // A stream in which nothing can be said.
    await house.core.database.query('update thread set stream = $2 where id = $1', [
      desktop.thread,
      activationStreamOf('w-assistant'),
    ]);
    await expect(applyControl(house.core, 'h-one', returned(desktop))).rejects.toThrow('not written');
    await house.core.database.query(`update thread set stream = 's-general' where id = $1`, [desktop.thread]);
    await applyControl(house.core, 'h-one', returned(desktop));
    expect(await woken(desktop.thread)).toBe(1);
  });

  it('although the database was away for a moment when the host said so', async () => {
    const desktop = await house.running();
    await ask(desktop);
    const away = vi
      .spyOn(house.core.database, 'transaction')
      .mockRejectedValueOnce(new UnavailableError('the database does not answer', 'database_unavailable'));
    host.send(returned(desktop));
    await eventually(async () => (await woken(desktop.thread)) === 1);
    expect(away).toHaveBeenCalledTimes(2);
    away.mockRestore();
  });

  it('although the desktop was stopped and started again meanwhile', async () => {
    const desktop = await house.running();
    await ask(desktop);
    await stopDesktop(house.core, 'default', desktop.id, 'nobody used it');
    const again = await house.running(desktop.thread ?? undefined);
    expect(again.generation).toBe(desktop.generation + 1);
    await applyControl(house.core, 'h-one', returned(again));
    expect(await woken(desktop.thread)).toBe(1);
  });

  it('whatever it did with its desktop in the same turn, and no more once it is at work again', async () => {
    const desktop = await house.running();
    await ask(desktop);
    await takePersonDid(house.core, 'default', desktop.id, 'a-asks');
    await applyControl(house.core, 'h-one', returned(desktop));
    expect(await woken(desktop.thread)).toBe(1);
    await ask(desktop);
    await takePersonDid(house.core, 'default', desktop.id, 'a-later');
    await applyControl(house.core, 'h-one', returned(desktop));
    expect(await woken(desktop.thread)).toBe(1);
    expect(await takePersonDid(house.core, 'default', desktop.id, 'a-later')).toEqual([
      { name: 'Owner', steps: ['pressed Return'] },
    ]);
  });
});
