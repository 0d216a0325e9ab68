import type { MeasuredRun } from './measured-run.ts';
import { readStoredMails } from './stored-mail.ts';
import { readDeliveries, type StoredDelivery } from './stored-replies.ts';

/** Something a person said in a chat and was answered 2xx for. `key`: its Event's message id. */
export type Accepted = { key: string; text: string };

/** A message of ours that stands in a chat now, in the order in which they came there. */
export type Visible = {
  /** The platform's id, as the Delivery that it shows has it. */
  id: string;
  /** The conversation, or the thread of it. */
  place: string;
  text: string;
  /** The Delivery that it names, where the platform keeps such a thing; otherwise it is told by the text. */
  delivery?: string;
};

/** What {@link judgeReplies} compares. Texts are unique. */
export type Outcome = {
  /** `slack`, `teams` */
  kind: string;
  url: string;
  accepted: readonly Accepted[];
  visible: readonly Visible[];
  /** The Deliveries in flight at kills. */
  inFlight: ReadonlySet<string>;
  /** Whether a second reply is forgiven where its Delivery was in flight at a kill. */
  forgiven: boolean;
};

/**
 * Holds what was accepted against what is stored and what people see: stored once, answered, nothing lost, in order, and no second
 * visible reply.
 */
export async function judgeReplies(run: MeasuredRun, outcome: Outcome): Promise<void> {
  const { kind, url, accepted, visible, inFlight } = outcome;
  const count = (name: string, found: readonly unknown[], goal: number) =>
    run.goal(`${kind}: ${name}`, found.length, String(goal), found.length === goal);
  const keys = accepted.map((each) => each.key);
  const stored = await readStoredMails(url, keys);
  const deliveries = await readDeliveries(url, kind);
  const shown = new Map(visible.map((each) => [each.id, each]));

  const once = stored.filter((each) => each.events === 1);
  count('stored exactly once', once, accepted.length);
  const lost = stored.filter((each) => each.events === 0);
  count('lost', lost, 0);
  for (const each of lost.slice(0, 5)) run.say(`  lost: ${each.messageId}`);
  const isShown = (reply: { delivery: string }) => {
    const delivery = deliveries.find((each) => each.id === reply.delivery);
    return delivery?.state === 'delivered' && shown.get(delivery.externalId ?? '')?.text === delivery.body;
  };
  const answered = stored.filter((each) => each.trigger === 'done' && each.replies.some(isShown));
  count('answered, the answer to be seen', answered, accepted.length);
  for (const each of stored.filter((one) => !answered.includes(one)).slice(0, 5))
    run.say(`  not answered: ${JSON.stringify(each)}`);
  const texts = new Set(visible.map((each) => each.text));
  const alone = accepted.filter((each) => texts.has(replyTo(each.text)));
  run.say(`  ${alone.length} by a reply of its own, the others together with a later one of their thread`);

  judgeCopies(run, outcome, deliveries);
  count('threads in which the replies are out of order', placesOutOfOrder(visible, deliveries), 0);
  run.say(`  ${visible.length} replies stand there; Deliveries in flight at a kill: ${inFlight.size}`);
}

/** What the scripted model answers. */
export function replyTo(text: string): string {
  return `echo: ${text}`;
}

function judgeCopies(run: MeasuredRun, outcome: Outcome, deliveries: readonly StoredDelivery[]): void {
  const { kind, visible, inFlight, forgiven } = outcome;
  const known = new Set(deliveries.map((each) => each.externalId));
  const byText = new Map(deliveries.map((each) => [each.body, each.id]));
  const second = visible.filter((each) => !known.has(each.id));
  const unexplained = second.filter((each) => !inFlight.has(each.delivery ?? byText.get(each.text) ?? ''));
  if (forgiven) {
    run.goal(
      `${kind}: second visible replies`,
      second.length,
      `at most ${inFlight.size}, those in flight at a kill`,
      second.length <= inFlight.size,
    );
    const none = 'of them, of a Delivery that was not in flight';
    run.goal(`${kind}: ${none}`, unexplained.length, '0', unexplained.length === 0);
  } else run.goal(`${kind}: second visible replies`, second.length, '0', second.length === 0);
  for (const each of second.slice(0, 5)) run.say(`  again: ${each.place}: ${each.text}`);
  const twice = visible.length - new Set(visible.map((each) => `${each.place} ${each.text}`)).size - second.length;
  run.goal(`${kind}: the same said by two Deliveries`, Math.max(0, twice), '0', twice <= 0);
}

/** A conversation's replies have to come in the order of their Events, and of what they answer. */
function placesOutOfOrder(visible: readonly Visible[], deliveries: readonly StoredDelivery[]): string[] {
  const byId = new Map(deliveries.map((each) => [each.externalId, each]));
  const last = new Map<string, StoredDelivery>();
  const wrong = new Set<string>();
  for (const { id, place } of visible) {
    const delivery = byId.get(id);
    if (!delivery) continue;
    const before = last.get(place);
    if (before && (before.position >= delivery.position || before.answers >= delivery.answers)) wrong.add(place);
    last.set(place, delivery);
  }
  return [...wrong];
}
