import { expect, it } from 'vitest';
import { whyAutomatic } from './detect-automatic.ts';
import { parseMail } from './parse-mail.ts';

async function why(header: string, envelopeFrom = 'sam@example.com') {
  const from = header.startsWith('From:') ? '' : 'From: sam@example.com\r\n';
  return whyAutomatic(await parseMail(Buffer.from(`${from}${header}\r\n\r\nhi`)), envelopeFrom);
}

it.each([
  'Auto-Submitted: auto-replied',
  'Auto-Submitted: auto-generated (vacation)',
  'AUTO-SUBMITTED: Auto-Notified; owner-email="x@y.z"',
  'Precedence: bulk',
  'Precedence: JUNK',
  'Precedence: list',
  'List-Id: Friends <friends.example.com>',
  'List-Unsubscribe: <mailto:leave@example.com>',
  'X-Auto-Response-Suppress: All',
  'X-Auto-Response-Suppress: DR, OOF, AutoReply',
  'X-Autoreply: yes',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
  'From: Mail Delivery System <MAILER-DAEMON@mx.example.com>',
  'From: postmaster@example.com',
])('a mail with "%s" is automatic', async (header) => {
  expect(await why(header)).toBeTruthy();
});

it('a mail from the null sender is automatic', async () => {
  expect(await why('Subject: returned', '')).toBe('null sender');
});

it.each([
  'Auto-Submitted: no',
  'Precedence: first-class',
  'X-Auto-Response-Suppress: None',
  'Subject: Auto-Submitted: auto-replied',
])('a mail with "%s" is a person\'s', async (header) => {
  expect(await why(header)).toBeUndefined();
});
