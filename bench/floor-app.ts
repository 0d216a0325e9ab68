/**
 * The least that a Slack bot of this kind has to do, to measure against: a bare Bolt echo app that, for each mention, makes three
 * single-row commits, asks the scripted model once and posts its answer. With BARE it only answers 200; with PACKAGES it asks the model through the
 * packages that our runtime is built on. Settings come by the environment; it prints its port.
 */
import { App, ExpressReceiver, LogLevel } from '@slack/bolt';
import { Pool } from 'pg';
import { askThroughPackages } from './ask-through-packages.ts';

const {
  DATABASE_URL = '',
  MODEL_URL = '',
  SLACK_API_URL = '',
  SLACK_BOT_TOKEN = '',
  SLACK_SIGNING_SECRET = '',
} = process.env;
const ask = process.env.PACKAGES ? askThroughPackages(MODEL_URL) : askPlainly;
const pool = new Pool({ connectionString: DATABASE_URL, max: 8 });

const receiver = new ExpressReceiver({ signingSecret: SLACK_SIGNING_SECRET, logLevel: LogLevel.ERROR });
const app = new App({
  receiver,
  token: SLACK_BOT_TOKEN,
  clientOptions: { slackApiUrl: SLACK_API_URL },
  logLevel: LogLevel.ERROR,
});

app.event('app_mention', async ({ event, client }) => {
  if (process.env.BARE) return;
  await commit(event.text);
  const answer = await ask(event.text);
  await commit(answer);
  await client.chat.postMessage({ channel: event.channel, thread_ts: event.thread_ts ?? event.ts, text: answer });
  await commit('sent');
});

async function commit(text: string): Promise<void> {
  await pool.query({ name: 'floor', text: 'insert into floor_row (body) values ($1)', values: [text] });
}

async function askPlainly(text: string): Promise<string> {
  const response = await fetch(`${MODEL_URL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
    body: JSON.stringify({ model: 'scripted', messages: [{ role: 'user', content: text }] }),
  });
  const answer = (await response.json()) as { choices: { message: { content: string } }[] };
  return answer.choices[0]?.message.content ?? '';
}

await pool.query('create table if not exists floor_row (id bigserial primary key, body text)');
const server = await app.start({ port: 0, host: '127.0.0.1' });
const address = 'address' in server ? server.address() : null;
console.log(`listening ${typeof address === 'object' && address ? address.port : ''}`);
process.on('SIGTERM', () => process.exit(0));
