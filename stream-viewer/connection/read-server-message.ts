import type { ServerMessage } from '../../sandbox/protocol.ts';

const known: Record<ServerMessage['type'], true> = {
  hello: true,
  cursor: true,
  controller: true,
  viewers: true,
  video: true,
  sound: true,
  clipboard: true,
  pong: true,
  token: true,
  error: true,
};

/**
 * Reads a text frame of the core that this page came from: it is trusted, so that only its kind is looked at. Null: a kind that a newer
 * server knows and this page doesn't, to be passed over.
 *
 * @throws SyntaxError when it isn't JSON
 */
export function readServerMessage(text: string): ServerMessage | null {
  const message: unknown = JSON.parse(text);
  const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : null;
  return typeof type === 'string' && Object.hasOwn(known, type) ? (message as ServerMessage) : null;
}
