import x11 from 'x11';
import { internAtoms, predefinedAtom } from './atoms.ts';
import { type XConnection, XLostError } from './connect.ts';
import { fetchSelection } from './fetch-selection.ts';
import { createOffer } from './offer-selection.ts';

/** The clipboard carries text of up to 1 MiB in UTF-8, each way. */
export const clipboardBytesAtMost = 1024 * 1024;

/** A Desktop's clipboard, seen from outside. */
export interface Clipboard {
  /**
   * What a person has copied elsewhere: every program's paste gives it, by ctrl+V and by the middle button, until something else is
   * copied inside.
   *
   * @throws ClipboardTooLargeError
   */
  offer(text: string): Promise<void>;
  /** What is in it: offered, or copied inside; undefined before either, and when it is no text. */
  readonly text: string | undefined;
  /** Called with each text that is copied inside, never with what was offered. What is too large or no text is left out. */
  onCopied(listener: (text: string) => void): () => void;
  /** Called each time a program has been given what is offered. */
  onServed(listener: () => void): () => void;
  close(): Promise<void>;
}

/** More text than the clipboard carries. */
export class ClipboardTooLargeError extends Error {
  constructor(bytes: number) {
    super(
      `the text has ${bytes} bytes, and the clipboard carries ${clipboardBytesAtMost}: copy less at once, or send a file`,
    );
    this.name = 'ClipboardTooLargeError';
  }
}

/**
 * Opens the clipboard of an X server: offers texts as the owner of CLIPBOARD and PRIMARY, and learns of copies by XFixes.
 *
 * @param onError told why a copy could not be read, but for a lost connection: that one tells it itself
 */
export async function openClipboard(x: XConnection, onError: (error: unknown) => void): Promise<Clipboard> {
  const atoms = await internAtoms(x, [
    'CLIPBOARD',
    'TARGETS',
    'TIMESTAMP',
    'INCR',
    'UTF8_STRING',
    'TEXT',
    'text/plain',
    'text/plain;charset=utf-8',
  ]);
  const window = x.client.AllocID();
  const values = { eventMask: x11.eventMask.PropertyChange };
  x.client.CreateWindow(window, x.root, 0, 0, 1, 1, 0, 0, 0, 0, values);
  const offer = createOffer(x, window, [atoms.CLIPBOARD, predefinedAtom.primary], atoms);
  const listeners = new Set<(text: string) => void>();
  let content: string | undefined;
  /** Of the content: what is read of an older one does not count. */
  let version = 0;
  let isUnread = false;
  let isReading = false;

  /** A program that copies again while it is asked: only the last copy counts. */
  async function read(): Promise<void> {
    if (isReading) return;
    isReading = true;
    try {
      while (isUnread) {
        isUnread = false;
        const before = version;
        const text = await copiedText();
        if (before !== version) continue;
        content = text;
        if (text !== undefined) for (const listener of listeners) listener(text);
      }
    } finally {
      isReading = false;
    }
  }

  /** As UTF-8, or from an old program that has Latin-1 only. */
  async function copiedText(): Promise<string | undefined> {
    for (const [target, encoding] of [
      [atoms.UTF8_STRING, 'utf8'],
      [predefinedAtom.string, 'latin1'],
    ] as const) {
      const request = { selection: atoms.CLIPBOARD, target, incr: atoms.INCR, bytesAtMost: clipboardBytesAtMost };
      const fetched = await fetchSelection(x, request);
      if (fetched.kind === 'data') return fetched.data.toString(encoding);
      if (fetched.kind === 'too_large') return undefined;
    }
    return undefined;
  }

  const stop = x.onEvent((event) => {
    if (event.name !== 'SelectionNotify' || event.subtype === undefined) return;
    if (event.selection !== atoms.CLIPBOARD || event.owner === window || event.owner === 0) return;
    version++;
    isUnread = true;
    read().catch((error: unknown) => {
      if (!(error instanceof XLostError)) onError(error);
    });
  });
  x.fixes.SelectSelectionInput(window, atoms.CLIPBOARD, x.fixes.SelectionEventMask.SetSelectionOwner);
  await x.settled();

  return {
    get text() {
      return content;
    },
    offer: async (text) => {
      const bytes = Buffer.byteLength(text);
      if (bytes > clipboardBytesAtMost) throw new ClipboardTooLargeError(bytes);
      version++;
      isUnread = false;
      content = text;
      await offer.set(text);
    },
    onCopied: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    onServed: offer.onServed,
    close: async () => {
      stop();
      offer.stop();
      x.client.DestroyWindow(window);
      await x.settled();
    },
  };
}
