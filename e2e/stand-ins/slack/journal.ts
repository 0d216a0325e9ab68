import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** One thing that the stand-in did and will not take back, written to disk before anybody was told. */
export type JournalEntry = {
  /** Milliseconds since 1970. */
  at: number;
  method: 'chat.postMessage' | 'chat.update' | 'chat.delete';
  channel: string;
  ts: string;
  threadTs?: string;
  text: string;
  /** From the message's metadata: which Delivery of ours it shows. */
  delivery?: string;
};

/** Appends entries to a file, each in one write. */
export type Journal = { append(entry: JournalEntry): void; close(): void };

export function openJournal(path: string): Journal {
  const file = openSync(path, 'a');
  return {
    append: (entry) => void writeSync(file, `${JSON.stringify(entry)}\n`),
    close: () => closeSync(file),
  };
}

/** Every entry so far, in order; a file that is not there yet has none. */
export function readJournal(path: string): JournalEntry[] {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as JournalEntry);
}
