import type { MeasuredRun } from './measured-run.ts';
import type { IndexedMail } from './stand-ins/mail-folder.ts';
import type { StoredMail, StoredReply } from './stored-mail.ts';

/** A mail that was answered 250, and words that an echo of it has. */
export type AcceptedMail = StoredMail & { marker: string };

/** The part of a sunk mail that counts here. */
export type Answer = Pick<IndexedMail, 'messageId' | 'inReplyTo' | 'problems' | 'subject'>;

/**
 * Holds what was accepted against what is stored and what the mail sink got: stored once, answered, nothing lost, no second
 * visible reply but for Deliveries that were in flight when their process was killed.
 */
export function judgeAnswers(run: MeasuredRun, accepted: readonly AcceptedMail[], sunk: readonly Answer[]): void {
  const count = (name: string, found: readonly unknown[], goal: number) =>
    run.goal(name, found.length, String(goal), found.length === goal);
  count(
    'stored exactly once',
    accepted.filter((mail) => mail.events === 1),
    accepted.length,
  );
  count(
    'lost',
    accepted.filter((mail) => mail.events === 0),
    0,
  );
  count(
    'stored more than once',
    accepted.filter((mail) => mail.events > 1),
    0,
  );

  const copies = new Map<string, number>();
  for (const { messageId = '' } of sunk) copies.set(messageId, (copies.get(messageId) ?? 0) + 1);
  const directly = new Set(sunk.map((mail) => mail.inReplyTo));
  const isOut = (reply: StoredReply) => reply.state === 'delivered' && copies.has(`<${reply.delivery}@localhost>`);
  const answered = accepted.filter((mail) => mail.trigger === 'done' && mail.replies.some(isOut));
  count('answered, the answer with the mail server', answered, accepted.length);
  for (const mail of accepted.filter((each) => !answered.includes(each)).slice(0, 5))
    run.say(`  not answered: ${JSON.stringify(mail)}`);
  const alone = answered.filter((mail) => directly.has(mail.messageId));
  run.say(
    `  ${alone.length} by a reply to that very mail, ${answered.length - alone.length} together with a later one of their thread`,
  );
  const wrong = alone.filter((mail) => !mail.replies.some((reply) => reply.body.includes(mail.marker)));
  count('answered with something else', wrong, 0);
  const problems = sunk.filter((mail) => mail.problems.length > 0);
  count('answers with wrong headers', problems, 0);
  for (const mail of problems.slice(0, 3)) run.say(`  ${mail.subject}: ${mail.problems.join('; ')}`);

  const replies = new Map(accepted.flatMap((mail) => mail.replies).map((reply) => [reply.delivery, reply]));
  const inFlight = [...replies.values()].filter((reply) => reply.lostLeases > 0);
  const second = [...copies].filter(([, times]) => times > 1);
  const extra = second.reduce((sum, [, times]) => sum + times - 1, 0);
  const allowed = inFlight.reduce((sum, reply) => sum + reply.lostLeases, 0);
  run.say(`  Deliveries in flight at a kill: ${inFlight.length} (${allowed} times)`);
  run.goal('second visible replies', extra, `at most ${allowed}, those in flight at a kill`, extra <= allowed);
  const unexplained = second.filter(([messageId, times]) => times - 1 > (lostLeasesOf(replies, messageId) ?? 0));
  count('of them, of a Delivery that was not in flight', unexplained, 0);
  count('mails answered by two different Deliveries', answeredTwice(sunk), 0);
}

function lostLeasesOf(replies: ReadonlyMap<string, StoredReply>, messageId: string): number | undefined {
  return replies.get(/^<(d-[^@]+)@/.exec(messageId)?.[1] ?? '')?.lostLeases;
}

function answeredTwice(sunk: readonly Answer[]): string[] {
  const answers = new Map<string, Set<string>>();
  for (const { inReplyTo = '', messageId = '' } of sunk) {
    const known = answers.get(inReplyTo) ?? new Set();
    answers.set(inReplyTo, known.add(messageId));
  }
  return [...answers].filter(([, ids]) => ids.size > 1).map(([inReplyTo]) => inReplyTo);
}
