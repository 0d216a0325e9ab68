import { z } from 'zod';
import { defineSettings, type SettingsValues } from '../../core/config/setting.ts';

/** The keys of the Slack door (design §8). With both SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET it is open. */
export const slackSettings = defineSettings({
  SLACK_BOT_TOKEN: {
    type: z.string().regex(/^[\w.-]+$/, 'it must be a bot token as Slack shows it: xoxb-…'),
    secret: true,
    description:
      'The bot token of your Slack app (xoxb-…), from "OAuth & Permissions". Its workspace is the one served.',
  },
  SLACK_SIGNING_SECRET: {
    type: z.string().min(1),
    secret: true,
    description: 'The signing secret of your Slack app, from "Basic Information": what Slack sends is checked with it.',
  },
  SLACK_API_URL: {
    type: z
      .string()
      .refine((value) => isApiUrl(value), 'it must be a URL that ends in /api/, https:// or http:// on this machine')
      .transform((value) => (value.endsWith('/') ? value : `${value}/`)),
    default: 'https://slack.com/api/',
    description: "Where Slack's Web API is, for GovSlack and for tests.",
  },
});

/** What those keys hold. */
export type SlackSettings = SettingsValues<typeof slackSettings>;

/** The token goes there: in the clear only to this machine. */
function isApiUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  if (!/\/api\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '' || url.username !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
