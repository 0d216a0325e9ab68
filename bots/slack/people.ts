import type { WebClient } from '@slack/web-api';
import type { Core } from '../../core/core.ts';
import { nameGuest } from '../../core/organisation/name-guest.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import { retryAfterOf } from './call-failure.ts';

/** The names of Slack's users, looked up beside the way of a message and never on it. */
export interface People {
  /** The name, if it is known by now. */
  nameOf(user: string): string | undefined;
  /** The name, if Slack tells it within so many milliseconds. */
  ask(user: string, ms: number): Promise<string | undefined>;
  /** Sees to it that the name becomes known, to the guest behind the Identity too. Returns at once. */
  learn(user: string, identity?: { organisation: OrganisationId; externalId: string }): void;
}

/** So many names are kept, the one that was asked for longest ago forgotten first. */
const mostNames = 5000;
/** So many users wait to be looked up; what comes beyond is learnt with the person's next message. */
const mostWaiting = 1000;
const goodForMs = 24 * 3600_000;
const badForMs = 5 * 60_000;

/** Looks up one user at a time: users.info has a limit of its own, and nobody waits for it. */
export function createPeople(core: Pick<Core, 'database' | 'log'>, client: WebClient): People {
  const known = new Map<string, { name: string | undefined; until: number }>();
  const asked = new Map<string, Promise<string | undefined>>();
  let last: Promise<unknown> = Promise.resolve();
  let restUntil = 0;

  function nameOf(user: string): string | undefined {
    const entry = known.get(user);
    if (!entry) return undefined;
    known.delete(user);
    if (entry.until < Date.now()) return entry.name;
    known.set(user, entry);
    return entry.name;
  }

  async function fetchName(user: string): Promise<string | undefined> {
    if (Date.now() < restUntil) return undefined;
    let name: string | undefined;
    try {
      const { user: found } = await client.users.info({ user });
      const profile = found?.profile;
      name = [profile?.display_name, profile?.real_name, found?.real_name, found?.name].find((each) => each?.trim());
    } catch (error) {
      const seconds = retryAfterOf(error);
      if (seconds !== undefined) restUntil = Date.now() + seconds * 1000;
      core.log.debug({ err: error, user }, 'Slack did not tell the name of a user');
    }
    if (known.size >= mostNames) known.delete(known.keys().next().value ?? '');
    known.set(user, { name, until: Date.now() + (name ? goodForMs : badForMs) });
    return name;
  }

  /** Undefined: too many wait already. */
  function lookUp(user: string): Promise<string | undefined> | undefined {
    const under = asked.get(user);
    if (under) return under;
    if (asked.size >= mostWaiting) return undefined;
    const name = last.then(() => fetchName(user)).finally(() => asked.delete(user));
    asked.set(user, name);
    last = name.catch(() => undefined);
    return name;
  }

  return {
    nameOf,
    async ask(user, ms) {
      return nameOf(user) ?? (await within(lookUp(user), ms));
    },
    learn(user, identity) {
      const fresh = (known.get(user)?.until ?? 0) > Date.now();
      if (fresh) return;
      lookUp(user)
        ?.then(async (name) => {
          if (!name || !identity) return;
          const { organisation, externalId } = identity;
          await nameGuest(core.database, organisation, { platform: 'slack', externalId }, name);
        })
        .catch((error: unknown) => core.log.debug({ err: error, user }, 'the name of a guest could not be stored'));
    },
  };
}

/** What a promise gives within so many milliseconds; undefined when it takes longer. */
export async function within<T>(work: Promise<T> | undefined, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
