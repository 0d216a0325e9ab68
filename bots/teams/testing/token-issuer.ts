import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import jwt from 'jsonwebtoken';

/** The app that {@link TokenIssuer} makes tokens for, and where it says that answers go. */
export const appId = '6f1c1f5e-3b1a-4a53-9a55-2f0a5f3d9c11';

/** A signing key, announced or not. */
export interface IssuerKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** Stands for the Bot Connector's token service: metadata, keys and tokens, on loopback. */
export interface TokenIssuer {
  metadataUrl: string;
  /** Announced, and endorsed for Teams. */
  key: IssuerKey;
  /** Announced, and endorsed for other channels only; announced without endorsements; not announced. */
  otherChannelsKey: IssuerKey;
  unendorsedKey: IssuerKey;
  rogueKey: IssuerKey;
  /** A token as the Connector makes them, but for what `changes` says; a claim that is undefined is left out. */
  token(serviceUrl: string, changes?: Record<string, unknown>, key?: IssuerKey, algorithm?: jwt.Algorithm): string;
  /** Announces a new key in place of the good one, and gives it. */
  rotate(): IssuerKey;
  /** How often the keys were fetched. */
  fetched(): number;
  /** Makes the metadata something else, or makes it fail with a status. */
  announce(change: { jwksUri?: string; status?: number }): void;
  close(): Promise<void>;
}

function newKey(): IssuerKey {
  return { kid: randomUUID(), ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

/** Starts an issuer on a free port of loopback. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  let key = newKey();
  const [otherChannelsKey, unendorsedKey, rogueKey] = [newKey(), newKey(), newKey()];
  let fetched = 0;
  let change: { jwksUri?: string; status?: number } = {};
  const announced = () => [
    { ...jwkOf(key), endorsements: ['msteams', 'webchat'] },
    { ...jwkOf(otherChannelsKey), endorsements: ['webchat', 'directline'] },
    jwkOf(unendorsedKey),
  ];
  const server = createServer((request, response) => {
    const base = `http://${request.headers.host}`;
    if (request.url === '/keys') fetched++;
    const body =
      request.url === '/keys'
        ? { keys: announced() }
        : { issuer: 'https://api.botframework.com', jwks_uri: change.jwksUri ?? `${base}/keys` };
    response.writeHead(change.status ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    metadataUrl: `http://127.0.0.1:${port}/v1/.well-known/openidconfiguration`,
    get key() {
      return key;
    },
    otherChannelsKey,
    unendorsedKey,
    rogueKey,
    token(serviceUrl, changes = {}, signedWith = key, algorithm = 'RS256') {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: 'https://api.botframework.com',
        aud: appId,
        serviceurl: serviceUrl,
        nbf: now - 10,
        exp: now + 3600,
        ...changes,
      };
      const kept = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
      const signing = algorithm === 'none' ? '' : signedWith.privateKey;
      return jwt.sign(kept, signing, { algorithm, keyid: signedWith.kid, noTimestamp: true });
    },
    rotate() {
      key = newKey();
      return key;
    },
    fetched: () => fetched,
    announce(next) {
      change = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function jwkOf({ kid, publicKey }: IssuerKey): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' };
}
