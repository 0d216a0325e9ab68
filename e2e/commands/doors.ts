import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { messageKey } from '../../bots/slack/message-key.ts';
import { startConnector } from '../../bots/teams/testing/connector-stand-in.ts';
import { readMetrics } from '../clients/core-metrics.ts';
import { type RoundRobin, startRoundRobin } from '../clients/round-robin.ts';
import { teamsTraffic } from '../clients/teams-traffic.ts';
import { modelSettings } from '../house.ts';
import { judgeReplies, replyTo, type Visible } from '../judge-replies.ts';
import { type MeasuredRun, measuredRun, until } from '../measured-run.ts';
import { type Core, startCore } from '../processes.ts';
import { seededRandom } from '../seeded-random.ts';
import { openSharedDatabase } from '../shared-database.ts';
import { lastMessage } from '../stand-ins/model-scripts.ts';
import { startModelServer } from '../stand-ins/model-server.ts';
import { slackEvents } from '../stand-ins/slack/send-events.ts';
import { openChatter } from '../stand-ins/slack/slack-chatter.ts';
import { startSlackServer } from '../stand-ins/slack/slack-server.ts';
import { countInFlight, countOpenWork } from '../stored-mail.ts';
import { countDead, readHeldDeliveries } from '../stored-replies.ts';

/*
 * Two cores on one database behind a round-robin balancer; people talk in Slack and in Teams, and one core is killed in the middle of
 * it and does not come back.
 */

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '400' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'boolean', default: false },
  },
});
/** Half of them in Slack. */
const messages = Number(values.messages);
const places = { slack: 20, teams: 20 };
/** Both doors together; two cores on two processors answer some more than that. */
const perSecond = 8;
const thinking = { delayMs: 100, chunks: 2, chunkMs: 100 };
/** Between a message's standing in Slack and the answer that says so. */
const slackDelayMs = 150;
const signingSecret = 'doors-signing-secret';

await measuredRun(
  {
    title: `${messages} messages in Slack and Teams to two cores behind a balancer, one of them killed (seed ${values.seed})`,
    limitMinutes: 5 + messages / 100,
  },
  doors,
);

async function doors(run: MeasuredRun): Promise<void> {
  const database = await openSharedDatabase();
  run.defer(() => database.close());
  const slack = await startSlackServer();
  run.defer(() => slack.close());
  slack.answerLate('chat.postMessage', slackDelayMs);
  const connector = await startConnector();
  run.defer(() => connector.close());
  const model = await startModelServer({
    script: (request) => ({ text: replyTo(lastMessage(request)), ...thinking }),
    remember: 10,
  });
  run.defer(() => model.close());

  const cores: Core[] = [];
  const balancer = await startRoundRobin(() => cores.map((core) => core.url));
  run.defer(() => balancer.close());
  const env = {
    ...database.env,
    ...modelSettings(model),
    PUBLIC_URL: balancer.url,
    SMTP_LISTEN: 'off',
    SLACK_BOT_TOKEN: slack.token,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_API_URL: slack.apiUrl,
    TEAMS_ANONYMOUS: '1',
    LOG_LEVEL: 'warn',
  };
  run.defer(() => Promise.all(cores.map((core) => core.killEverything())));
  for (const name of ['one', 'two']) cores.push(await startCore({ dataDirectory: database.folder(name), env }));
  await Promise.all(cores.map((core) => core.waitReady()));
  const [stays, goes] = cores;
  if (!stays || !goes) throw new Error('there are not two cores');

  const events = slackEvents({
    workspace: slack.workspace,
    url: `${balancer.url}/slack/events`,
    signingSecret,
    timeScale: 0.05,
  });
  run.defer(() => events.stop());
  const chatter = openChatter({ events, channels: places.slack, random: seededRandom(Number(values.seed)) });
  const teams = teamsTraffic({
    endpoint: `${balancer.url}/api/messages`,
    serviceUrl: connector.serviceUrl,
    places: places.teams,
  });

  const inFlight = new Map<string, string>();
  const note = async () => {
    for (const { id, kind } of await readHeldDeliveries(database.url, goes.pid)) inFlight.set(id, kind);
  };
  const began = performance.now();
  let killing: Promise<void> | undefined;
  for (let n = 0; n < messages; n += 1) {
    await sleep(Math.max(0, began + (n / perSecond) * 1000 - performance.now()), undefined, { signal: run.signal });
    if (n === Math.floor(messages / 2)) killing = killInTheMiddle(run, { goes, balancer, url: database.url, note });
    // What goes wrong there is told below.
    killing?.catch(() => {});
    if (n % 2 === 0) chatter.say();
    else teams.say();
  }
  await killing;
  await Promise.all([events.settled(), teams.settled()]);
  const open = async () => Object.values(await countOpenWork(database.url)).reduce((sum, count) => sum + count, 0);
  await until(async () => (await open()) === 0, 60_000 + messages * 250);
  run.say(`all answered after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  run.goal('work left open', await open(), '0', (await open()) === 0);
  const dead = await countDead(database.url);
  run.goal('Activations and Deliveries given up', dead, '0', dead === 0);
  run.say(
    `  the balancer: ${balancer.answered().join(' and ')} requests answered, ${balancer.passedOn()} passed on to the core that was ` +
      `left, ${balancer.broken()} broken off`,
  );

  const sent = events.sent().filter((event) => event.accepted);
  run.goal(
    'slack: events answered 2xx',
    sent.length,
    `all ${events.sent().length}`,
    sent.length === events.sent().length,
  );
  const taken = teams.posted().filter((one) => one.accepted);
  const all = teams.posted().length;
  run.goal('teams: activities answered 2xx', taken.length, `all ${all}`, taken.length === all);
  const inFlightOf = (kind: string) => new Set([...inFlight].filter(([, of]) => of === kind).map(([id]) => id));
  await judgeReplies(run, {
    kind: 'slack',
    url: database.url,
    accepted: chatter.accepted(),
    visible: slack.workspace
      .byApp()
      .filter((message) => !message.deleted)
      .map(({ channel, ts, threadTs, text }) => ({
        id: messageKey(channel, ts),
        place: `${channel}:${threadTs}`,
        text,
      })),
    inFlight: inFlightOf('slack'),
    forgiven: false,
  });
  await judgeReplies(run, {
    kind: 'teams',
    url: database.url,
    accepted: taken.map(({ id, text }) => ({ key: id, text })),
    visible: visibleInTeams(connector),
    inFlight: inFlightOf('teams'),
    // Teams cannot be asked what stands in a conversation: the one gap of rule 7.
    forgiven: true,
  });
  const end = await stays.stop();
  run.goal('end of the core that was left on SIGTERM', `code ${end.code}`, 'code 0', end.code === 0);
}

/** SIGKILL for one core, as soon as it is at work. */
async function killInTheMiddle(
  run: MeasuredRun,
  { goes, balancer, url, note }: { goes: Core; balancer: RoundRobin; url: string; note: () => Promise<void> },
): Promise<void> {
  const metrics = await readMetrics(goes.url);
  const activations = metrics.sum('switchboard_activations_ended_total', { outcome: 'replied' });
  const answered = balancer.answered();
  run.goal(
    'requests answered by each core until then',
    answered.join(' and '),
    'both at work',
    Math.min(...answered) > 0,
  );
  run.goal('Activations ended by the one to be killed', activations, 'some', activations > 0);
  const held = await until(
    async () => {
      const now = await countInFlight(url, goes.pid);
      return now.activations > 0 && now.deliveries > 0 ? now : undefined;
    },
    20_000,
    20,
  );
  await note();
  goes.kill('SIGKILL');
  await goes.exited;
  await note();
  const busy = held ? `${held.activations} Activations and ${held.deliveries} Deliveries` : 'nothing';
  run.goal('in flight in the core that was killed', busy, 'some of both', held !== undefined);
}

/** What stands in the conversations; under a reply the door may have put a line of help. */
function visibleInTeams(connector: Awaited<ReturnType<typeof startConnector>>): Visible[] {
  const conversations = new Set(connector.calls.map((call) => call.conversation));
  return [...conversations].flatMap((place) =>
    [...connector.messages(place)].map(([id, text]) => ({
      id,
      place,
      text: text.split('\n\n').find((part) => part.startsWith(replyTo(''))) ?? text,
    })),
  );
}
