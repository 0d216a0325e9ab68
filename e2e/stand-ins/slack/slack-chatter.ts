import { messageKey } from '../../../bots/slack/message-key.ts';
import type { SentEvent, SlackEvents } from './send-events.ts';
import type { StoredMessage } from './workspace.ts';

/** Something that was said, and its events. */
type Said = { message: StoredMessage; events: SentEvent[]; text: string };

/** People who talk with the app all over a workspace. */
export type Chatter = {
  /** The next message: a mention that opens a thread, in each channel in turn, or a follow-up without a mention in an open one. */
  say(): void;
  said(): readonly unknown[];
  /** What was answered 2xx, by its Event's message id. `text` is unique, and without the mention. */
  accepted(): { key: string; text: string }[];
};

/** Of the messages so many open a thread, which are two events each. */
const openers = 0.4;

/** Each follow-up comes only where a mention was answered 2xx: people go on when they see that they were heard. */
export function openChatter(options: { events: SlackEvents; channels: number; random: () => number }): Chatter {
  const { events, channels, random } = options;
  const said: Said[] = [];
  const heard: StoredMessage[] = [];
  let opened = 0;

  function speak(channel: string, text: string, threadTs?: string): Said {
    const mention = threadTs === undefined ? '<@U0BOT> ' : '';
    const user = `U${100 + Math.floor(random() * 200)}`;
    const spoken = events.say({ channel, user, text: `${mention}${text}`, ...(threadTs ? { threadTs } : {}) });
    const one = { ...spoken, text };
    said.push(one);
    return one;
  }

  return {
    say() {
      const text = `This is message number ${said.length + 1}.`;
      const thread = random() < openers ? undefined : heard[Math.floor(random() * heard.length)];
      if (thread) return void speak(thread.channel, text, thread.ts);
      opened += 1;
      const opener = speak(`C${1 + (opened % channels)}`, text);
      void Promise.any(opener.events.map((event) => event.done.then(() => event.accepted || Promise.reject()))).then(
        () => heard.push(opener.message),
        () => {},
      );
    },
    said: () => said,
    accepted: () =>
      said
        .filter((one) => one.events.some((event) => event.accepted))
        .map(({ message, text }) => ({ key: messageKey(message.channel, message.ts), text })),
  };
}
