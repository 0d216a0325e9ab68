import type { WorkerId } from '../store/ids.ts';
import type { SourceKind } from './message.ts';

/** Past this many answers of AIs to one another nobody is woken (design rule 5). */
export const hopLimit = 8;

/** What is known about an Event before it is written, as far as it decides who is woken. */
export interface WakingFacts {
  sourceKind: SourceKind;
  author: WorkerId | null;
  hops: number;
  /** Named at the head of the message, or whose alias it was sent to. */
  addressed: readonly WorkerId[];
  /** True when somebody was picked by name: then the Thread's other participants stay asleep. */
  addressedByName: boolean;
  /** The sender asked that the agent ignores it, the Thread is muted, the mail is automatic. */
  silent: boolean;
  /** The AI Workers subscribed to the Stream. */
  subscribers: readonly { worker: WorkerId; mode: 'all' | 'mentions' }[];
  /** The AI Workers that take part in the Thread. */
  participants: readonly WorkerId[];
  /** The Stream's default Worker, if it is an AI. */
  defaultWorker: WorkerId | null;
}

/** Who is woken, and whether somebody would have been but for the hop limit. */
export interface WakingDecision {
  wake: WorkerId[];
  hopLimitReached: boolean;
}

/**
 * Who is woken by an Event (design §4 rule 5, §5 addressing). Subscribers with mode `all` always; those who are addressed; when a
 * person names nobody, the AI participants of the Thread, else the Stream's default Worker. Never the author itself, nobody for
 * a notice, nobody past the hop limit.
 */
export function decideWhoWakes(facts: WakingFacts): WakingDecision {
  if (facts.silent || facts.sourceKind === 'notice') return { wake: [], hopLimitReached: false };
  const wake = new Set<WorkerId>(facts.addressed);
  for (const { worker, mode } of facts.subscribers) if (mode === 'all') wake.add(worker);
  if (facts.sourceKind === 'human' && !facts.addressedByName) {
    for (const worker of facts.participants) wake.add(worker);
    if (wake.size === 0 && facts.defaultWorker) wake.add(facts.defaultWorker);
  }
  if (facts.author) wake.delete(facts.author);
  if (facts.hops > hopLimit) return { wake: [], hopLimitReached: wake.size > 0 };
  return { wake: [...wake].sort(), hopLimitReached: false };
}
