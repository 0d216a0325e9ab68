import x11 from 'x11';
import { internAtoms, predefinedAtom } from './atoms.ts';
import { type XConnection, XRequestError } from './connect.ts';
import { queueEvents } from './next-event.ts';
import { focusedProgram } from './program.ts';

/** A program that is busy for longer is not waited for. */
const withinMs = 1000;
const protocolsAtMost = 32;
const longBits = 32;

/**
 * Waits until the program that has the keyboard has seen to all events that it was sent before. False: that cannot be known, since the
 * program does not say.
 */
export type CaughtUp = () => Promise<boolean>;

/**
 * X tells nobody how far a program has got with its events. Window managers ask by `_NET_WM_PING` (Extended Window Manager Hints),
 * which a program answers in its turn; Chromium, Firefox, GTK and Qt do, xterm does not. While it waits, this connection's events of the
 * root window are those of the windows below it, and none afterwards.
 *
 * @throws XLostError
 */
export async function createCaughtUp(x: XConnection): Promise<CaughtUp> {
  const atoms = await internAtoms(x, ['WM_PROTOCOLS', '_NET_WM_PING']);
  let asked = 0;

  async function answersPings(window: number): Promise<boolean> {
    const { data } = await x.ask<x11.Property>((reply) =>
      x.client.GetProperty(0, window, atoms.WM_PROTOCOLS, predefinedAtom.atom, 0, protocolsAtMost, reply),
    );
    for (let at = 0; at + 4 <= data.length; at += 4) if (data.readUInt32LE(at) === atoms._NET_WM_PING) return true;
    return false;
  }

  async function ping(window: number): Promise<boolean> {
    const number = ++asked;
    const data = [atoms._NET_WM_PING, number, window, 0, 0];
    const event = {
      name: 'ClientMessage',
      format: longBits,
      wid: window,
      message_type: atoms.WM_PROTOCOLS,
      data,
      seq: 0,
    };
    // The answer is the same message, sent to the root window.
    const answers = queueEvents(x, (came): came is ClientMessage => isAnswer(came, x.root, number));
    const listens = (eventMask: number) =>
      x.ask<void>((reply) => x.client.ChangeWindowAttributes(x.root, { eventMask }, reply));
    try {
      await listens(x11.eventMask.SubstructureNotify);
      await x.ask<void>((reply) => x.client.SendEvent(window, 0, 0, event, reply));
      return (await answers.next(withinMs)) !== undefined;
    } finally {
      answers.stop();
      await listens(0);
    }
  }

  return async () => {
    try {
      const program = await focusedProgram(x);
      return program !== undefined && (await answersPings(program.window)) && (await ping(program.window));
    } catch (error) {
      // It was closed meanwhile.
      if (error instanceof XRequestError) return false;
      throw error;
    }
  };
}

type ClientMessage = Extract<x11.Event, { name: 'ClientMessage' }>;

function isAnswer(event: x11.Event, root: number, number: number): event is ClientMessage {
  return event.name === 'ClientMessage' && event.wid === root && event.data[1] === number;
}
