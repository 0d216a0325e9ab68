import { expect, test } from 'vitest';
import { type AcceptedMail, type Answer, judgeAnswers } from './judge-answers.ts';
import type { MeasuredRun } from './measured-run.ts';

const mail: AcceptedMail = {
  messageId: '<1@client>',
  marker: 'number 1.',
  events: 1,
  thread: 't-1',
  trigger: 'done',
  replies: [{ delivery: 'd-1', state: 'delivered', lostLeases: 0, body: 'echo: number 1.' }],
};
const answer: Answer = { messageId: '<d-1@localhost>', inReplyTo: '<1@client>', problems: [], subject: 'Re: 1' };

/** The goals that were missed. */
function missed(accepted: AcceptedMail[], sunk: Answer[]): string[] {
  const names: string[] = [];
  const run: MeasuredRun = {
    say: () => {},
    goal: (name, _measured, _goal, met) => void (met || names.push(name)),
    defer: () => {},
    signal: AbortSignal.any([]),
  };
  judgeAnswers(run, accepted, sunk);
  return names;
}

const inFlight = mail.replies.map((reply) => ({ ...reply, lostLeases: 1 }));

test.each<[string, AcceptedMail[], Answer[], string[]]>([
  ['a mail that is stored and answered once', [mail], [answer], []],
  ['a second copy of a Delivery in flight', [{ ...mail, replies: inFlight }], [answer, answer], []],
  [
    'a lost mail',
    [{ ...mail, events: 0, trigger: null, replies: [] }],
    [],
    ['stored exactly once', 'lost', 'answered, the answer with the mail server'],
  ],
  ['a mail stored twice', [{ ...mail, events: 2 }], [answer], ['stored exactly once', 'stored more than once']],
  ['an answer that never went out', [mail], [], ['answered, the answer with the mail server']],
  [
    'a second copy of a Delivery that was not in flight',
    [mail],
    [answer, answer],
    ['second visible replies', 'of them, of a Delivery that was not in flight'],
  ],
  [
    'two copies too many of one in flight once',
    [{ ...mail, replies: inFlight }],
    [answer, answer, answer],
    ['second visible replies', 'of them, of a Delivery that was not in flight'],
  ],
  [
    'two Deliveries that answer one mail',
    [mail],
    [answer, { ...answer, messageId: '<d-2@localhost>' }],
    ['mails answered by two different Deliveries'],
  ],
  ['an answer to something else', [{ ...mail, marker: 'number 2.' }], [answer], ['answered with something else']],
  ['a header that is wrong', [mail], [{ ...answer, problems: ['no Date'] }], ['answers with wrong headers']],
])('%s', (_what, accepted, sunk, goals) => {
  expect(missed(accepted, sunk)).toEqual(goals);
});
