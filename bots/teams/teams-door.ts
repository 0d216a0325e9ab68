import type { Core } from '../../core/core.ts';
import type { Delivered, Door, OutgoingDelivery } from '../../core/delivery/door.ts';
import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';
import { type BindingConfig, bindingConfig } from './binding-config.ts';
import type { BotFramework, ConversationAddress } from './bot-framework.ts';
import { GoneFromTeams } from './connector-failure.ts';
import { receiptOf } from './conversation.ts';
import { findCaption } from './find-caption.ts';
import { newThreadPlace } from './receive-activity.ts';
import { cutDraft, splitText } from './split-text.ts';
import { mentionsOnly } from './welcome-text.ts';

/** What the door works with once the bot has started. */
interface Open {
  core: Pick<Core, 'database'>;
  bot: BotFramework;
}

const mostQuiet = 10_000;

/**
 * The way out to Teams. Made before the core, and opened when the bot has started: what should go out before that waits.
 *
 * The platform's id of a Delivery is that of its message; of a text that takes several, their ids with blanks between them.
 */
export class TeamsDoor implements Door {
  readonly kind = 'teams';
  readonly drafts = true;
  /** Conversations in which Teams has asked for quiet, and until when (`performance.now()`). */
  readonly #quiet = new Map<string, number>();
  #open: Open | undefined;

  open(open: Open): void {
    this.#open = open;
  }

  async deliver(delivery: OutgoingDelivery): Promise<Delivered> {
    if (!this.#open) throw new OutsideUnavailable('the Teams door is not open', { retryAfterSeconds: 5 });
    const config = configOf(delivery);
    const text = await textOf(this.#open, delivery, config);
    if (text === '') throw new PermanentFailure('there is nothing in it that could be sent');
    const pieces = delivery.event ? splitText(text) : [cutDraft(text)];
    const conversation = conversationOf(delivery, config);
    this.#keepQuiet(conversation ?? delivery.binding.externalId);
    try {
      if (conversation === undefined) return await begin(this.#open, delivery, config, pieces);
      return await show(this.#open, delivery, { ...addressOf(config), conversation }, pieces);
    } catch (error) {
      if (error instanceof OutsideUnavailable && error.retryAfterSeconds !== undefined)
        this.#beQuiet(conversation ?? delivery.binding.externalId, error.retryAfterSeconds);
      throw error;
    }
  }

  #beQuiet(conversation: string, seconds: number): void {
    if (this.#quiet.size >= mostQuiet) this.#quiet.clear();
    this.#quiet.set(conversation, performance.now() + seconds * 1000);
  }

  /** A draft grows every second, and would go on asking. */
  #keepQuiet(conversation: string): void {
    const until = this.#quiet.get(conversation);
    if (until === undefined) return;
    const left = (until - performance.now()) / 1000;
    if (left > 0) throw new OutsideUnavailable('Teams has asked for quiet here', { retryAfterSeconds: left });
    this.#quiet.delete(conversation);
  }
}

/**
 * Edits what is there, posts what is not. Whatever has been posted is written down before the next piece is.
 *
 * @param done pieces before these, which need nothing more
 */
async function show(
  open: Open,
  delivery: OutgoingDelivery,
  to: ConversationAddress,
  pieces: readonly string[],
  done: readonly string[] = [],
): Promise<Delivered> {
  const shown = delivery.externalId === null ? [] : delivery.externalId.split(' ');
  const ids = [...done];
  for (const [n, piece] of pieces.entries()) {
    ids.push(await showPiece(open, to, shown[ids.length], piece));
    if (n + 1 < pieces.length && ids.length > shown.length) await noteProgress(open, delivery, ids);
  }
  return { externalId: ids.join(' '), externalIds: ids.map((id) => receiptOf(to.conversation, id)) };
}

/** A message that somebody deleted meanwhile is posted anew. */
async function showPiece(
  { bot }: Open,
  to: ConversationAddress,
  id: string | undefined,
  text: string,
): Promise<string> {
  if (id === undefined) return await bot.post(to, text);
  try {
    await bot.edit(to, id, text);
    return id;
  } catch (error) {
    if (!(error instanceof GoneFromTeams)) throw error;
    return await bot.post(to, text);
  }
}

async function noteProgress({ core }: Open, delivery: OutgoingDelivery, ids: readonly string[]): Promise<void> {
  await core.database.query('update delivery set external_id = $3 where organisation = $1 and id = $2', [
    delivery.organisation,
    delivery.id,
    ids.join(' '),
  ]);
}

function configOf(delivery: OutgoingDelivery): BindingConfig {
  const config = bindingConfig.safeParse(delivery.binding.config);
  if (!config.success)
    throw new PermanentFailure('it is not known how to reach this place: nothing has come from it yet');
  return config.data;
}

function addressOf({ serviceUrl, bot, tenant }: BindingConfig): Omit<ConversationAddress, 'conversation'> {
  return { serviceUrl, bot, tenant };
}

/** Undefined: in a channel a Thread that has no place there yet begins a new one. */
function conversationOf({ threadPlace, binding }: OutgoingDelivery, { kind }: BindingConfig): string | undefined {
  if (kind !== 'channel') return binding.externalId;
  return threadPlace === null || threadPlace.startsWith(newThreadPlace) ? undefined : threadPlace;
}

/** Begins a thread of a channel; what people answer there comes into the Thread. */
async function begin(
  open: Open,
  delivery: OutgoingDelivery,
  config: BindingConfig,
  [first = '', ...more]: readonly string[],
): Promise<Delivered> {
  const channel = { ...addressOf(config), conversation: delivery.binding.externalId };
  const { conversation, message } = await open.bot.begin(channel, first);
  const place = [delivery.organisation, delivery.binding.id, conversation, delivery.thread, delivery.threadPlace];
  await open.core.database.query(
    `with old as (
       delete from thread_binding where organisation = $1 and binding = $2 and external_id = $5
     )
     insert into thread_binding (organisation, binding, external_id, thread) values ($1, $2, $3, $4) on conflict do nothing`,
    place,
  );
  const to = { ...channel, conversation };
  if (more.length > 0) await noteProgress(open, delivery, [message]);
  return await show(open, { ...delivery, externalId: message }, to, more, [message]);
}

/** The text with whatever Teams would not show otherwise: who speaks, where the files are. */
async function textOf({ core }: Open, delivery: OutgoingDelivery, config: BindingConfig): Promise<string> {
  const body = delivery.text.trim();
  const files = (delivery.event?.attachments ?? []).map(
    ({ name, url }) => `[${name.replaceAll(/[[\]\n]/g, ' ')}](${url})`,
  );
  const parts = [body, files.join('\n\n')].filter((part) => part !== '');
  if (parts.length === 0) return '';
  const { speaker, help } = await findCaption(core.database, delivery);
  if (speaker) parts.unshift(`**${speaker.replaceAll(/[*_`\\[\]<>]/g, '\\$&')}**`);
  if (help && config.kind === 'channel' && !config.hearsAll) parts.push(mentionsOnly);
  return parts.join('\n\n');
}
