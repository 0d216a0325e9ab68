import type { WorkerId } from '../../store/ids.ts';
import type { BriefedEvent, Briefing } from '../runtime.ts';

/** An Event of Ada's in a mail thread, for tests; every field can be given. */
export function briefedEvent(given: Partial<BriefedEvent> = {}): BriefedEvent {
  return {
    organisation: 'default',
    id: 'e-1',
    stream: 's-mail',
    position: 7,
    thread: 't-1',
    author: 'w-ada',
    authorName: 'Ada',
    sourceKind: 'human',
    hops: 0,
    origin: 'e-1',
    from: 'ada@example.com',
    to: [],
    subject: '',
    body: 'hello',
    attachments: [],
    inReplyTo: null,
    messageId: null,
    extra: {},
    cameBy: null,
    activation: null,
    createdAt: new Date('2026-11-20T10:47:00Z'),
    editedAt: null,
    deletedAt: null,
    cut: false,
    ...given,
  };
}

/** What Assistant is told when Ada says `body`; every field can be given. */
export function briefing(given: Partial<Briefing> & { body?: string } = {}): Briefing {
  const { body, ...rest } = given;
  const readers: WorkerId[] = ['w-ada'];
  return {
    organisation: 'default',
    activation: 'a-1',
    worker: {
      id: 'w-assistant',
      name: 'Assistant',
      identity: 'Calm.',
      role: { title: 'Helper', content: 'Help people.' },
    },
    stream: { id: 's-mail', name: 'Mail', description: 'Mail to us.', kind: 'mail' },
    thread: { id: 't-1', subject: 'Greetings' },
    batch: [briefedEvent(body === undefined ? {} : { body })],
    history: [],
    historyCut: false,
    readers,
    ...rest,
  };
}
