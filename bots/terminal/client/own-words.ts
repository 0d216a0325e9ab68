import type { Accepted } from '../wire.ts';

/** What a person may say to the chat itself: the core never hears of it. */
export const ownCommands = ['new', 'quit'] as const;

/** Whether a line asks for a new Thread rather than says something. */
export function isNew(line: string): boolean {
  return /^\s*\/?new\s*$/i.test(line);
}

/** Whether a line ends the chat. */
export function isQuit(line: string): boolean {
  return /^\s*\/?(quit|exit)\s*$/i.test(line);
}

/** Why nobody will answer a message, in one sentence; undefined when somebody will, or was asked not to. */
export function whyUnheard({ unheard }: Pick<Accepted, 'unheard'>): string | undefined {
  switch (unheard) {
    case 'muted':
      return 'nobody was woken: this thread is muted until somebody says unmute';
    case 'nobody':
      return 'nobody listens here: name an agent at the head of the message';
    case 'aside':
    case null:
      return undefined;
  }
}
