import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { decrypt, encrypt } from '../secrets/encrypt.ts';
import { deriveKey } from '../secrets/secret-key.ts';
import type { DesktopParts } from './desktop-parts.ts';

/** A key that signs viewer links now. */
export interface Signer {
  kid: string;
  privateKey: KeyObject;
}

/** The keys of viewer links, the same for every core process on a database. */
export interface SigningKeys {
  signer(): Promise<Signer>;
  /** The public key of this id; undefined: there is none, or it has retired. */
  verifier(kid: string): Promise<KeyObject | undefined>;
}

/**
 * A key signs for so long, and what it has signed counts for longer than any link lasts: 24 h (`linkSeconds`), made up to {@link askAgainMs}
 * after the key should have signed its last.
 */
const signsForDays = 30;
const countsForDays = 32;

/** A key that has retired opens nothing any more, and is removed so many days later: no process still has it in memory then. */
const removedAfterDays = 1;

/** A process asks again which key signs, in milliseconds: another may have made a new one. */
const askAgainMs = 10 * 60_000;

/** The advisory lock under which a key is made: "keys" in ASCII. */
const keyLock = 0x6b657973;

const purpose = 'viewer link keys';

/** The keys in the database, kept in memory once they were read. Rotation needs nobody: a new one is made when the last is old. */
export function createSigningKeys({ database, secretKey }: Pick<DesktopParts, 'database' | 'secretKey'>): SigningKeys {
  const verifiers = new Map<string, { key: KeyObject; until: number }>();
  let signing: { signer: Promise<Signer>; askedAt: number } | undefined;

  async function readSigner(): Promise<Signer> {
    const row = (await newest()) ?? (await make());
    const pem = decrypt(deriveKey(secretKey, purpose), row.privateKey, contextOf(row.kid));
    return { kid: row.kid, privateKey: createPrivateKey(pem) };
  }

  async function newest(): Promise<{ kid: string; privateKey: string } | undefined> {
    const [row] = await database.query<{ kid: string; privateKey: string }>(
      `select kid, private_key as "privateKey" from signing_key
       where created_at > now() - interval '${signsForDays} days' order by created_at desc, kid limit 1`,
    );
    return row;
  }

  async function make(): Promise<{ kid: string; privateKey: string }> {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const kid = randomUUID();
    const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const privateKey = encrypt(deriveKey(secretKey, purpose), pem, contextOf(kid));
    await database.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [keyLock]);
      await tx.query(
        `insert into signing_key (kid, public_key, private_key, retires_at)
         select $1, $2, $3, now() + interval '${countsForDays} days'
         where not exists (select 1 from signing_key where created_at > now() - interval '${signsForDays} days')`,
        [kid, JSON.stringify(pair.publicKey.export({ format: 'jwk' })), privateKey],
      );
    });
    // Another process may have been faster: then its key signs.
    const made = await newest();
    if (!made) throw new Error('a signing key was made and is not there');
    return made;
  }

  return {
    async signer() {
      if (!signing || performance.now() - signing.askedAt > askAgainMs) {
        const signer = readSigner();
        signing = { signer, askedAt: performance.now() };
        // What failed is asked again at once.
        signer.catch(() => {
          signing = undefined;
        });
      }
      return await signing.signer;
    },
    async verifier(kid) {
      const known = verifiers.get(kid);
      if (known && known.until > Date.now()) return known.key;
      const [row] = await database.query<{ publicKey: JsonWebKey; seconds: number }>(
        `select public_key as "publicKey", extract(epoch from retires_at - now())::float8 as seconds from signing_key
         where kid = $1 and retires_at > now()`,
        [kid],
      );
      if (!row) return undefined;
      const key = createPublicKey({ key: row.publicKey, format: 'jwk' });
      verifiers.set(kid, { key, until: Date.now() + Math.min(row.seconds * 1000, askAgainMs) });
      return key;
    },
  };
}

/** Removes the keys that have retired: everything that they have signed has been over for a day or longer. Hosts never had them. */
export async function removeRetiredKeys({ database }: Pick<DesktopParts, 'database'>): Promise<void> {
  await database.query(`delete from signing_key where retires_at < now() - interval '${removedAfterDays} days'`);
}

function contextOf(kid: string): string {
  return `signing key ${kid}`;
}
