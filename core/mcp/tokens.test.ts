import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seed } from '../organisation/seed.ts';
import { deriveKey } from '../secrets/secret-key.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { type TestDatabase, testDatabase } from '../store/testing/test-database.ts';
import { makeToken, verifyToken } from './tokens.ts';

const secretKey = createSecretKey('a secret key that is only for tests', 'utf8');
const key = deriveKey(secretKey, 'worker tokens');
const claims = { organisation: 'default', worker: 'w-owner', version: 1 };
let testing: TestDatabase;
let database: Database;
beforeAll(async () => {
  testing = await testDatabase();
  database = await openDatabase(testing.url);
  await seed(database);
});
afterAll(async () => {
  await database.close();
  await testing.close();
});

const verify = (token: string) => verifyToken(database, secretKey, `Bearer ${token}`);

test('a token says which worker of which organisation it stands for, and no two are the same', async () => {
  const tokens = await Promise.all([0, 1].map(() => makeToken(database, secretKey, 'default', 'w-owner')));
  expect(new Set(tokens).size).toBe(2);
  expect(await verify(tokens[0] ?? '')).toEqual({ organisation: 'default', worker: 'w-owner' });
  expect(await verify(jwt.sign(claims, key, { algorithm: 'HS256' }))).toEqual({
    organisation: 'default',
    worker: 'w-owner',
  });
});

test.each<[string, string]>([
  ['of another algorithm', jwt.sign(claims, key, { algorithm: 'HS512' })],
  ['without a signature', jwt.sign(claims, '', { algorithm: 'none' })],
  ['under another key', jwt.sign(claims, deriveKey(secretKey, 'something else'), { algorithm: 'HS256' })],
  ['under SECRET_KEY itself', jwt.sign(claims, 'a secret key that is only for tests', { algorithm: 'HS256' })],
  ['that has expired', jwt.sign(claims, key, { algorithm: 'HS256', expiresIn: -10 })],
  ['of an older version', jwt.sign({ ...claims, version: 0 }, key, { algorithm: 'HS256' })],
  ['of an unknown worker', jwt.sign({ ...claims, worker: 'w-nobody' }, key, { algorithm: 'HS256' })],
  ['of another organisation', jwt.sign({ ...claims, organisation: 'other' }, key, { algorithm: 'HS256' })],
  ['without a version', jwt.sign({ organisation: 'default', worker: 'w-owner' }, key, { algorithm: 'HS256' })],
])('a token %s is refused', async (_what, token) => {
  await expect(verify(token)).rejects.toThrow('this token is not valid');
});
