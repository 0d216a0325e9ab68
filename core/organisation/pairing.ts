import { createHash, randomBytes } from 'node:crypto';
import type { Database, Executor } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';
import { type Identity, linkIdentity } from './identities.ts';
import { unknownWorker } from './workers.ts';

/** Crockford's base 32: no I, L, O and U, so that a code survives being read out. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const half = 4;

/** Each half has a digit that is no letter misread, and a letter: `well-done` and `sale-2024` are words, not codes. */
const code = /^(?=.{0,3}[2-9])(?=.{0,3}[a-z])[0-9a-z]{4}-(?=.{0,3}[2-9])(?=.{0,3}[a-z])[0-9a-z]{4}$/i;

/** How long a code may be used. */
export const pairingMinutes = 10;

/**
 * Makes a one-time code that links an Identity to `worker` when it is sent to the bot in time: `7K3M-Q9XD`. Only its SHA-256 is stored.
 *
 * Eight characters of 32, of which about half have the form, are 39 bits. A code can only be tried by sending a message, and a guess is
 * checked against the few codes alive: at a thousand messages a second for the whole ten minutes, one succeeds with a chance of
 * 1 in 0.9 million for each code alive. So tries are not counted; the hash needs no salt, because a code is random and dead before its hash is of use.
 *
 * @throws NotFoundError when the Worker is unknown or was dismissed.
 */
export async function makePairingCode(
  executor: Executor,
  organisation: OrganisationId,
  worker: WorkerId,
): Promise<string> {
  const characters = randomCharacters();
  const made = await executor.query(
    `with expired as (delete from pairing_code where organisation = $1 and expires_at <= now())
     insert into pairing_code (organisation, hash, worker, expires_at)
     select $1, $2, w.id, now() + make_interval(mins => $4)
     from worker w where w.organisation = $1 and w.id = $3 and w.dismissed_at is null
     returning 1`,
    [organisation, hashOf(characters), worker, pairingMinutes],
  );
  if (made.length === 0) throw unknownWorker(worker);
  return written(characters);
}

function randomCharacters(): string {
  for (;;) {
    const characters = [...randomBytes(2 * half)].map((byte) => alphabet[byte % alphabet.length]).join('');
    if (code.test(written(characters))) return characters;
  }
}

function written(characters: string): string {
  return `${characters.slice(0, half)}-${characters.slice(half)}`;
}

/**
 * The Worker whose code this is; the code is void from then on, also when two send it at once. Null: no such code, or too old.
 * Whatever the text, the work is one hash and one lookup by it, so that its time tells nothing of a code.
 */
export async function consumePairingCode(
  executor: Executor,
  organisation: OrganisationId,
  given: string,
): Promise<WorkerId | null> {
  const [row] = await executor.query<{ worker: WorkerId }>(
    `delete from pairing_code p using worker w
     where p.organisation = $1 and p.hash = $2 and p.expires_at > now()
       and w.organisation = p.organisation and w.id = p.worker and w.dismissed_at is null
     returning p.worker`,
    [organisation, hashOf(normalise(given))],
  );
  return row?.worker ?? null;
}

/** Consumes the code and links the Identity to its Worker, both or neither. Null: no such code, or too old. */
export async function pairIdentity(
  database: Database,
  organisation: OrganisationId,
  given: string,
  identity: Identity,
): Promise<WorkerId | null> {
  return await database.transaction(async (tx) => {
    const worker = await consumePairingCode(tx, organisation, given);
    if (worker) await linkIdentity(tx, organisation, worker, identity);
    return worker;
  });
}

/** The pairing code that a text consists of, as it was written; null when there is anything beside it. */
export function readPairingCode(text: string): string | null {
  const trimmed = text.trim();
  return code.test(trimmed) ? trimmed : null;
}

/** As people type it: any case, O for 0, I and L for 1. */
function normalise(given: string): string {
  return given.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
}

function hashOf(characters: string): string {
  return createHash('sha256').update(characters).digest('hex');
}
