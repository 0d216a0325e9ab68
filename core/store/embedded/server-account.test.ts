import { expect, test } from 'vitest';
import { findAccount } from './server-account.ts';

const passwd = `root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin
postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash
`;

test('an account is found by its whole name', () => {
  expect(findAccount(passwd, 'postgres')).toEqual({ uid: 101, gid: 104 });
  expect(findAccount(passwd, 'nobody')).toEqual({ uid: 65534, gid: 65533 });
  expect(findAccount(passwd, 'post')).toBeUndefined();
});

test('an account that is root by another name is not lent', () => {
  expect(findAccount('postgres:x:0:0::/:/bin/sh', 'postgres')).toBeUndefined();
});
