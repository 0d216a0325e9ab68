import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ensurePostfix, startPrivatePostfix } from '../clients/private-postfix.ts';
import { newMessageId, type SmtpAnswer, sendMail } from '../clients/send-mail.ts';
import { modelSettings } from '../house.ts';
import { measuredRun, until } from '../measured-run.ts';
import { startCore } from '../processes.ts';
import { openSharedDatabase } from '../shared-database.ts';
import { startMailSink } from '../stand-ins/mail-sink.ts';
import { lastMessage } from '../stand-ins/model-scripts.ts';
import { startModelServer } from '../stand-ins/model-server.ts';
import { readStoredMails } from '../stored-mail.ts';

const { values } = parseArgs({
  options: {
    mails: { type: 'string', default: '20' },
    down: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
  },
});
const mailCount = Number(values.mails);
const downSeconds = Number(values.down);

await measuredRun(
  { title: 'postfix in front, and the database away', limitMinutes: 5 + downSeconds / 60 },
  async (run) => {
    const missing = await ensurePostfix();
    if (missing) throw new Error(missing);
    const database = await openSharedDatabase();
    run.defer(() => database.close());
    const sink = await startMailSink();
    run.defer(() => sink.close());
    const model = await startModelServer({ script: (request) => ({ text: `echo: ${lastMessage(request)}` }) });
    run.defer(() => model.close());
    const env = { ...database.env, ...modelSettings(model), SMTP_URL: sink.url, MAIL_TRUSTED_RELAYS: '127.0.0.1' };
    const core = await startCore({ dataDirectory: database.folder('core'), env });
    run.defer(() => core.killEverything());
    await core.waitReady();
    const postfix = await startPrivatePostfix(core.smtpPort);
    run.defer(() => postfix.close());
    run.say(`postfix takes mail on 127.0.0.1:${postfix.port} and passes it on to 127.0.0.1:${core.smtpPort}`);

    const send = (n: number, port = postfix.port) =>
      sendMail({
        port,
        from: `p${n}@example.com`,
        to: 'assistant@localhost',
        subject: `Mail ${n}`,
        text: `This is mail number ${n}.\n`,
        messageId: newMessageId(),
      });
    const first = await send(0);
    await sink.waitFor((mail) => mail.inReplyTo === first.messageId, 20_000);
    run.goal('a mail through postfix, everything up', 'answered', 'answered', true);

    await database.stop();
    const direct = await send(1, core.smtpPort);
    run.goal('the database down: what the core answers a mail', direct.text, '451', direct.code === 451);
    const readiness = (await fetch(`${core.url}/readyz`)).status;
    run.goal('the database down: /readyz', readiness, '503', readiness === 503);
    const sent: SmtpAnswer[] = [];
    for (let n = 2; n < mailCount + 2; n += 1) sent.push(await send(n));
    await sleep(downSeconds * 1000, undefined, { signal: run.signal });
    const deferred = postfix.count('deferred', ' 451 ');
    run.goal(
      'deliveries that postfix deferred because of a 451',
      deferred,
      `at least ${mailCount}`,
      deferred >= mailCount,
    );
    const early = postfix.count('sent') - 1;
    run.goal('mails taken while the database was down', early, '0', early === 0);

    await database.start();
    const back = performance.now();
    const repliesTo = (messageId: string) => sink.messages().filter((mail) => mail.inReplyTo === messageId);
    await until(() => sent.every(({ messageId }) => repliesTo(messageId).length > 0), 60_000);
    run.say(`the database is back: the last answer came after ${((performance.now() - back) / 1000).toFixed(1)} s`);
    await sleep(3000);
    const stored = await readStoredMails(
      database.url,
      sent.map((mail) => mail.messageId),
    );
    const once = stored.filter((mail) => mail.events === 1).length;
    run.goal('mails stored as one Event', once, String(mailCount), once === mailCount);
    const answered = sent.filter(({ messageId }) => repliesTo(messageId).length === 1).length;
    run.goal('mails with one reply', answered, String(mailCount), answered === mailCount);
    const delivered = postfix.count('sent') - 1;
    run.goal('deliveries that postfix counts as sent', delivered, `${mailCount}, each once`, delivered === mailCount);
    const bounced = postfix.count('bounced');
    run.goal('bounces', bounced, '0', bounced === 0);
    const end = await core.stop();
    run.goal('end of the core on SIGTERM', `code ${end.code}`, 'code 0', end.code === 0);
  },
);
