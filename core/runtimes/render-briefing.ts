import { encodeCursor } from '../streams/event-cursor.ts';
import { houseRules } from './house-rules.ts';
import { renderMessage } from './render-message.ts';
import type { Briefing } from './runtime.ts';

/** A briefing as a chat model takes it. */
export interface RenderedBriefing {
  system: string;
  /** Never two of one role in a row, a user's first and last: strict chat templates refuse anything else. */
  messages: { role: 'user' | 'assistant'; content: string }[];
}

/**
 * A briefing in words: house rules, Role and Identity as the system text; the Thread's history and the new messages as marked
 * blocks (render-message.ts), the Worker's own earlier replies as the assistant's.
 */
export function renderBriefing(briefing: Briefing): RenderedBriefing {
  const { worker, history, batch } = briefing;
  const messages: RenderedBriefing['messages'] = [];
  const say = (role: 'user' | 'assistant', content: string) => {
    const last = messages.at(-1);
    if (last?.role === role) last.content += `\n\n${content}`;
    else messages.push({ role, content });
  };

  if (briefing.historyCut) {
    say('user', `(Older messages are left out here. To read them: read_events ${JSON.stringify(olderThan(briefing))})`);
  } else if (history[0]?.author === worker.id) {
    say('user', '(You began this thread.)');
  }
  for (const event of history) {
    if (event.author !== worker.id) say('user', renderMessage(event));
    else if (event.body.trim() !== '') say('assistant', event.body);
  }
  for (const [index, event] of batch.entries()) {
    say('user', renderMessage(event, { number: index + 1, count: batch.length }));
  }
  return { system: systemText(briefing), messages };
}

function olderThan({ thread, history, batch }: Briefing): { thread: string; since?: string } {
  const first = history[0] ?? batch[0];
  if (!first) return { thread: thread.id };
  return { thread: thread.id, since: encodeCursor({ kind: 'before', positions: { [first.stream]: first.position } }) };
}

function systemText(briefing: Briefing): string {
  const { role, identity } = briefing.worker;
  const parts = [houseRules(briefing)];
  if (role) parts.push(`# Your Role: ${role.title}\n\n${role.content}`);
  if (identity.trim() !== '') parts.push(`# Your Identity\n\n${identity}`);
  return parts.join('\n\n');
}
