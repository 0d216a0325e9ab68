import type { Core } from '../../core/core.ts';
import type { Delivered, Door, OutgoingDelivery, PrivateAnswer } from '../../core/delivery/door.ts';
import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';
import { type BindingConfig, bindingConfig } from './binding-config.ts';
import type { BotFramework, ConversationAddress } from './bot-framework.ts';
import { composeMessages } from './compose-messages.ts';
import { GoneFromTeams } from './connector-failure.ts';
import { receiptOf } from './conversation.ts';
import { newThreadPlace } from './receive-activity.ts';
import type { TeamsMessage } from './teams-message.ts';
import { tellAlone } from './tell-alone.ts';

/** What the door works with once the bot has started. */
interface Open {
  core: Pick<Core, 'database' | 'log' | 'metrics'>;
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
    const open = this.#orLater();
    const config = configOf(delivery.binding);
    const pieces = await composeMessages(delivery, config, leavesOut(open.core));
    if (pieces.length === 0) throw new PermanentFailure('there is nothing in it that could be sent');
    const conversation = conversationOf(delivery, config);
    return await this.#inQuiet(conversation ?? delivery.binding.externalId, () =>
      conversation === undefined
        ? begin(open, delivery, config, pieces)
        : show(open, delivery, { ...addressOf(config), conversation }, pieces),
    );
  }

  async tellAlone(answer: PrivateAnswer): Promise<void> {
    const { bot, core } = this.#orLater();
    const config = configOf(answer.binding);
    // A Thread that has no place yet is told nowhere: the sentence for all goes to the channel.
    const conversation = conversationOf(answer, config) ?? answer.binding.externalId;
    await this.#inQuiet(conversation, () =>
      tellAlone(
        { bot, database: core.database },
        { ...addressOf(config), conversation },
        config.kind === 'personal',
        answer,
        leavesOut(core),
      ),
    );
  }

  #orLater(): Open {
    if (!this.#open) throw new OutsideUnavailable('the Teams door is not open', { retryAfterSeconds: 5 });
    return this.#open;
  }

  /** Says something in a conversation, unless Teams has asked for quiet there. */
  async #inQuiet<T>(conversation: string, work: () => Promise<T>): Promise<T> {
    this.#keepQuiet(conversation);
    try {
      return await work();
    } catch (error) {
      if (error instanceof OutsideUnavailable && error.retryAfterSeconds !== undefined)
        this.#beQuiet(conversation, error.retryAfterSeconds);
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
  pieces: readonly TeamsMessage[],
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
  message: TeamsMessage,
): Promise<string> {
  if (id === undefined) return await bot.post(to, message);
  try {
    await bot.edit(to, id, message);
    return id;
  } catch (error) {
    if (!(error instanceof GoneFromTeams)) throw error;
    return await bot.post(to, message);
  }
}

async function noteProgress({ core }: Open, delivery: OutgoingDelivery, ids: readonly string[]): Promise<void> {
  await core.database.query('update delivery set external_id = $3 where organisation = $1 and id = $2', [
    delivery.organisation,
    delivery.id,
    ids.join(' '),
  ]);
}

/** A message matters more than its picture. */
function leavesOut({ log, metrics }: Open['core']): (why: unknown) => void {
  return (err) => {
    metrics.deliveryAttempted('teams', 'without_picture');
    log.warn({ err }, 'a desktop goes to Teams without its picture');
  };
}

function configOf(binding: OutgoingDelivery['binding']): BindingConfig {
  const config = bindingConfig.safeParse(binding.config);
  if (!config.success)
    throw new PermanentFailure('it is not known how to reach this place: nothing has come from it yet');
  return config.data;
}

function addressOf({ serviceUrl, bot, tenant }: BindingConfig): Omit<ConversationAddress, 'conversation'> {
  return { serviceUrl, bot, tenant };
}

/** Undefined: in a channel a Thread that has no place there yet begins a new one. */
function conversationOf(
  { threadPlace, binding }: Pick<OutgoingDelivery, 'threadPlace' | 'binding'>,
  { kind }: BindingConfig,
): string | undefined {
  if (kind !== 'channel') return binding.externalId;
  return threadPlace === null || threadPlace.startsWith(newThreadPlace) ? undefined : threadPlace;
}

/** Begins a thread of a channel; what people answer there comes into the Thread. */
async function begin(
  open: Open,
  delivery: OutgoingDelivery,
  config: BindingConfig,
  [first = { text: '' }, ...more]: readonly TeamsMessage[],
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
