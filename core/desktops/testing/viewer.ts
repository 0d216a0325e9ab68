import { WebSocket } from 'ws';

/** A page's connection, as a test sees it. */
export interface TestViewer {
  socket: WebSocket;
  /** The texts, parsed. */
  messages: Record<string, unknown>[];
  frames: Buffer[];
  /** The first text of this type, as soon as it has come. */
  heard(type: string, ms?: number): Promise<Record<string, unknown>>;
  /** Kept when the connection has ended. */
  closed: Promise<void>;
}

/** Opens the address of a link as the page does: the token from the fragment, in the first message. */
export async function openViewer(
  coreUrl: string,
  link: string,
  options: { token?: string | null } = {},
): Promise<TestViewer> {
  const { pathname, hash } = new URL(link);
  const socket = new WebSocket(`${coreUrl.replace(/^http/, 'ws')}${pathname}/stream`);
  const messages: Record<string, unknown>[] = [];
  const frames: Buffer[] = [];
  const listeners = new Set<() => void>();
  socket.on('message', (data, isBinary) => {
    if (isBinary) frames.push(data as Buffer);
    else messages.push(JSON.parse(String(data)));
    for (const listener of listeners) listener();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.once('open', () => resolve()));
  const token = options.token === undefined ? hash.slice(1) : options.token;
  if (token !== null) socket.send(JSON.stringify({ type: 'auth', token }));
  return {
    socket,
    messages,
    frames,
    closed,
    heard: (type, ms = 10_000) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = messages.find((message) => message.type === type);
          if (!found) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(found);
        };
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`no ${type} within ${ms} ms, but ${JSON.stringify(messages)}`));
        }, ms);
        listeners.add(look);
        look();
      }),
  };
}
