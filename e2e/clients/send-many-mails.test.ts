import { afterEach, expect, it } from 'vitest';
import { type MailSink, startMailSink } from '../stand-ins/mail-sink.ts';
import { type MailOutcome, sendMany } from './send-many-mails.ts';

let sink: MailSink | undefined;

afterEach(() => sink?.close());

function* mails(count: number) {
  for (let n = 1; n <= count; n += 1) {
    yield { from: `p${n}@example.com`, to: 'assistant@localhost', subject: `mail ${n}`, text: 'hello' };
  }
}

it('sends each mail once over several connections and measures', async () => {
  sink = await startMailSink();
  const result = await sendMany({ port: sink.port, mails: mails(60), connections: 3 });
  expect(result.accepted).toHaveLength(60);
  expect(result.others).toEqual([]);
  expect(new Set(sink.messages().map((mail) => mail.subject)).size).toBe(60);
  expect(new Set(sink.messages().map((mail) => mail.messageId))).toEqual(
    new Set(result.accepted.map((outcome) => outcome.mail.messageId)),
  );
  expect(result.perSecond).toBeGreaterThan(1);
  expect(result.latencyMs.p50).toBeGreaterThan(0);
  expect(result.latencyMs.max).toBeGreaterThanOrEqual(result.latencyMs.p95);
});

it('records every refusal and gives a mail up at once by default', async () => {
  sink = await startMailSink();
  sink.rejectNext(2, 451);
  const result = await sendMany({ port: sink.port, mails: mails(5), connections: 1 });
  expect(result.others.map((outcome) => outcome.code)).toEqual([451, 451]);
  expect(result.accepted).toHaveLength(3);
});

it('sends again with the same Message-ID after a 451 or no answer, and not after a 550', async () => {
  sink = await startMailSink();
  sink.rejectNext(1, 451);
  const retry = { retryForMs: 10_000, retryEveryMs: 20, connections: 1 };
  const outcomes: MailOutcome[] = [];
  const again = sendMany({ port: sink.port, mails: mails(1), ...retry, onOutcome: (each) => outcomes.push(each) });
  expect((await again).accepted[0]?.attempts.map((attempt) => attempt.code)).toEqual([451, 250]);
  expect(sink.messages()[0]?.messageId).toBe(outcomes[0]?.mail.messageId);

  await sink.pause();
  let refusals = 0;
  const whileDown = sendMany({
    port: sink.port,
    mails: mails(1),
    ...retry,
    // Looked at after each refusal.
    get retryEveryMs() {
      refusals += 1;
      if (refusals === 2) sink?.resume();
      return retry.retryEveryMs;
    },
  });
  const codes = (await whileDown).accepted[0]?.attempts.map((attempt) => attempt.code);
  expect(codes?.slice(0, 2)).toEqual([0, 0]);
  expect(codes?.at(-1)).toBe(250);

  sink.rejectNext(1, 550);
  const final = await sendMany({ port: sink.port, mails: mails(1), ...retry });
  expect(final.others[0]?.attempts.map((attempt) => attempt.code)).toEqual([550]);
});
