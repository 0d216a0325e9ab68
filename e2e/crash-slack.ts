import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageKey } from '../bots/slack/message-key.ts';
import { findFreePort } from '../core/store/embedded/free-port.ts';
import { embeddedUrl } from './database.ts';
import { modelSettings } from './house.ts';
import { type Accepted, judgeReplies, replyTo } from './judge-replies.ts';
import { killRounds, lengthOfRoundsMs } from './kill-rounds.ts';
import { type MeasuredRun, measuredRun, until } from './measured-run.ts';
import { findDatabaseProcesses } from './process-tree.ts';
import { makeDataDirectory, startCore } from './processes.ts';
import { seededRandom } from './seeded-random.ts';
import { lastMessage } from './stand-ins/model-scripts.ts';
import { startModelServer } from './stand-ins/model-server.ts';
import { type SlackEvents, slackEvents } from './stand-ins/slack/send-events.ts';
import { openChatter } from './stand-ins/slack/slack-chatter.ts';
import { startSlackServer } from './stand-ins/slack/slack-server.ts';
import { countOpenWork } from './stored-mail.ts';
import { countDead, readHeldDeliveries } from './stored-replies.ts';

/** How much is sent, and how often everything is killed. */
export type SlackCrash = { events: number; channels: number; kills: number; seed: number };

/** So slow that kills meet work in flight, and in two pieces, so that they meet drafts as well. */
const thinking = { delayMs: 150, chunks: 2, chunkMs: 150 };
/** Between a message's standing in Slack and the answer that says so: who is killed here does not know its ts. */
const slackDelayMs = 250;
const gap = { from: 4, to: 26 };
/** Slack repeats at once, after one minute and after five: here after 6 and 30 s, which outlasts a restart. */
const timeScale = 0.1;
/** At every fourth gap Slack refuses whatever is written, for so long. */
const storm = { every: 4, methods: ['chat.postMessage', 'chat.update'], retryAfter: 2, forMs: 6000 };
const signingSecret = 'crash-signing-secret';

/** Sends Slack's signed events while SIGKILLs fall, and ends the process with what became of them. */
export async function crashSlack(options: SlackCrash): Promise<never> {
  return measuredRun(
    {
      title: `${options.events} events of Slack over ${options.channels} channels while ${options.kills} SIGKILLs fall (seed ${options.seed})`,
      limitMinutes: 6 + options.kills * 0.6 + options.events / 300,
    },
    (run) => crash(run, options),
  );
}

async function crash(run: MeasuredRun, options: SlackCrash): Promise<void> {
  const random = seededRandom(options.seed);
  const dataDirectory = await makeDataDirectory();
  run.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  const slack = await startSlackServer();
  run.defer(() => slack.close());
  slack.answerLate('chat.postMessage', slackDelayMs);
  slack.answerLate('chat.update', slackDelayMs);
  const model = await startModelServer({
    script: (request) => ({ text: replyTo(lastMessage(request)), ...thinking }),
    remember: 10,
  });
  run.defer(() => model.close());

  const ports = { port: await findFreePort(), smtpPort: await findFreePort() };
  const env = {
    ...modelSettings(model),
    SMTP_LISTEN: 'off',
    SLACK_BOT_TOKEN: slack.token,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_API_URL: slack.apiUrl,
    LOG_LEVEL: 'warn',
  };
  const start = () => startCore({ dataDirectory, ...ports, env });
  let core = await start();
  run.defer(() => core.killEverything());
  await core.waitReady();

  const events = slackEvents({
    workspace: slack.workspace,
    url: `${core.url}/slack/events`,
    signingSecret,
    timeScale,
  });
  run.defer(() => events.stop());
  const chatter = openChatter({ events, channels: options.channels, random });
  const talking = talk(run, chatter, events, { ...options, ms: lengthOfRoundsMs({ gap, kills: options.kills }) });
  talking.catch(() => {});

  const inFlight = new Set<string>();
  let storms = 0;
  const killed = await killRounds(run, {
    core,
    kills: options.kills,
    gap,
    random,
    restart: async () => {
      core = await start();
      return core;
    },
    progress: () => `${chatter.accepted().length} messages taken, ${slack.workspace.byApp().length} replies`,
    beforeGap: (round) => {
      if (round % storm.every !== 0) return;
      storms += 1;
      slack.limits.storm(storm);
    },
    around: async (url, pid) => {
      for (const { id } of await readHeldDeliveries(url, pid)) inFlight.add(id);
    },
  });
  await talking;
  await events.settled();
  run.say('all sent, and repeated as often as Slack does');

  const url = await embeddedUrl(dataDirectory);
  const open = async () => Object.values(await countOpenWork(url)).reduce((sum, count) => sum + count, 0);
  await until(async () => (await open()) === 0, 60_000 + options.events * 250);
  run.goal('work left open', await open(), '0', (await open()) === 0);
  const dead = await countDead(url);
  run.goal('Activations and Deliveries given up', dead, '0', dead === 0);
  run.goal(
    'SIGKILLs with work in flight',
    killed.whileBusy,
    'at least three quarters',
    killed.whileBusy >= options.kills * 0.75,
  );
  judgeEvents(run, events, chatter.said().length);
  run.goal(`429 in ${storms} storms`, slack.limits.refusals(), 'some', slack.limits.refusals() > 0);
  run.say(`  ${slack.limits.early()} calls came before the Retry-After of an earlier 429 was over`);
  const looked = slack.calls().filter((call) => call.method === 'conversations.replies').length;
  run.say(`  the door has looked ${looked} times for what a process before may have posted`);
  const visible = slack.workspace
    .byApp()
    .filter((message) => !message.deleted)
    .map(({ channel, ts, threadTs, text, metadata }) => ({
      id: messageKey(channel, ts),
      place: `${channel}:${threadTs}`,
      text,
      delivery: String(metadata?.event_payload.delivery),
    }));
  const accepted: Accepted[] = chatter.accepted();
  await judgeReplies(run, { kind: 'slack', url, accepted, visible, inFlight, forgiven: true });

  const end = await killed.core.stop();
  run.goal('end of the last core on SIGTERM', `code ${end.code}`, 'code 0', end.code === 0);
  const left = findDatabaseProcesses(dataDirectory).length;
  run.goal('processes of its database left', left, '0', left === 0);
}

/** Says things evenly over a time, so that events come before, during and after each kill. */
async function talk(
  run: MeasuredRun,
  chatter: { say(): void },
  events: SlackEvents,
  pace: { events: number; ms: number },
): Promise<void> {
  const began = performance.now();
  while (events.sent().length < pace.events) {
    const due = began + (events.sent().length / pace.events) * pace.ms;
    await sleep(Math.max(0, due - performance.now()), undefined, { signal: run.signal });
    chatter.say();
  }
}

function judgeEvents(run: MeasuredRun, events: SlackEvents, messages: number): void {
  const sent = events.sent();
  const accepted = sent.filter((event) => event.accepted);
  const again = accepted.filter((event) => event.attempts.length > 1).length;
  run.say(`  ${sent.length} events of ${messages} messages; ${again} of the accepted ones were sent more than once`);
  run.say(`  not answered 2xx in any of Slack's attempts, and not counted below: ${sent.length - accepted.length}`);
  const share = accepted.length / sent.length;
  run.goal('events answered 2xx', accepted.length, 'at least 95 %', share >= 0.95);
}
