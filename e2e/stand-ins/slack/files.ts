import { randomBytes } from 'node:crypto';

/** A file as Slack keeps it. */
export type StoredFile = {
  id: string;
  name: string;
  title: string;
  /** What the app said that it has; other bytes are refused. */
  length: number;
  /** Undefined: not uploaded yet. */
  bytes?: Buffer;
  /** Null: the upload was not completed, and nobody can use it. */
  completedAt: number | null;
  /** Where it was shared: one message for each. */
  shares: { channel: string; ts: string; threadTs?: string }[];
};

/** The files of a workspace. */
export type SlackFiles = {
  /** Announced; gives the file and the path that its bytes are to be sent to. */
  announce(name: string, length: number): { file: StoredFile; path: string };
  /** Takes the bytes that came to a path. False: nothing is awaited there, or not so many. */
  take(path: string, bytes: Buffer): boolean;
  find(id: string): StoredFile | undefined;
  all(): readonly StoredFile[];
  /** Slack looks at a file for so many milliseconds after it is complete, before it shows it in a block; default 0. */
  processFor(ms: number): void;
  isReady(file: StoredFile): boolean;
  /** The next `n` files that are to be shared are not, although Slack says `ok`, as it does now and then. */
  dropShares(n: number): void;
  /** Asked before a share: whether this one is dropped. */
  isDropped(): boolean;
};

/** No files yet. */
export function createFiles(): SlackFiles {
  const files = new Map<string, StoredFile>();
  const awaited = new Map<string, StoredFile>();
  let processingMs = 0;
  let dropped = 0;
  return {
    announce(name, length) {
      const id = `F${randomBytes(5).toString('hex').toUpperCase()}`;
      const file: StoredFile = { id, name, title: name, length, completedAt: null, shares: [] };
      const path = `/upload/v1/${randomBytes(16).toString('hex')}`;
      files.set(id, file);
      awaited.set(path, file);
      return { file, path };
    },
    take(path, bytes) {
      const file = awaited.get(path);
      if (!file || bytes.length !== file.length) return false;
      awaited.delete(path);
      file.bytes = bytes;
      return true;
    },
    find: (id) => files.get(id),
    all: () => [...files.values()],
    processFor(ms) {
      processingMs = ms;
    },
    isReady: (file) => file.completedAt !== null && Date.now() - file.completedAt >= processingMs,
    dropShares(n) {
      dropped = n;
    },
    isDropped: () => dropped-- > 0,
  };
}

/** A file as Slack shows it. While it is being processed its type is not known. */
export function shownFile(files: SlackFiles, file: StoredFile): Record<string, unknown> {
  return {
    id: file.id,
    name: file.name,
    title: file.title,
    mimetype: files.isReady(file) ? typeOf(file.name) : '',
    size: file.length,
    url_private: `https://files.slack.example/${file.id}/${file.name}`,
    shares: {
      public: Object.fromEntries(
        file.shares.map(({ channel, ts, threadTs }) => [
          channel,
          [{ ts, ...(threadTs ? { thread_ts: threadTs } : {}) }],
        ]),
      ),
    },
  };
}

function typeOf(name: string): string {
  const types: Record<string, string> = { jpg: 'image/jpeg', png: 'image/png', mp4: 'video/mp4' };
  return types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
}
