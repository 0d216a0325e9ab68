import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Input } from '../../sandbox/protocol.ts';
import { InputGate } from './input-gate.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const at = (x: number): Input => ({ type: 'pointer', x, y: 0 });
const button = (down: boolean): Input => ({ type: 'button', down, button: 1 });
const key = (down: boolean): Input => ({ type: 'key', down, keysym: 0x61 });

function openGate(mode: 'watch' | 'control' = 'control') {
  const sent: Input[] = [];
  const heard: string[] = [];
  const gate = new InputGate({
    send: (input) => sent.push(input),
    ask: () => heard.push('ask'),
    refused: (why) => heard.push(why),
  });
  gate.setMode(mode);
  return { gate, sent, heard };
}

it('asks once, and does everything in its order when control is given', () => {
  const { gate, sent, heard } = openGate();
  gate.act(at(1), at(2), button(true), button(false), at(3));
  expect(heard).toEqual(['ask']);
  expect(sent).toEqual([]);
  gate.setControl({ name: 'Ada', you: true });
  expect(sent).toEqual([at(2), button(true), button(false), at(3)]);
});

it('does nothing late: what was kept is gone after five seconds', () => {
  const { gate, sent, heard } = openGate();
  gate.act(button(true), button(false));
  vi.advanceTimersByTime(5000);
  expect(heard).toEqual(['ask', 'unanswered']);
  gate.setControl({ name: 'Ada', you: true });
  expect(sent).toEqual([]);
});

it('forgets what was kept when somebody else was quicker', () => {
  const { gate, sent } = openGate();
  gate.act(button(true), button(false));
  gate.setControl({ name: 'Grace', you: false });
  gate.setControl({ name: 'Ada', you: true });
  expect(sent).toEqual([]);
});

it('asks for nothing when a mouse passes by or a key comes up', () => {
  const { gate, heard } = openGate();
  gate.act(at(1), key(false), button(false));
  expect(heard).toEqual([]);
});

it('takes nothing from somebody who controls, and nothing at all with a link for watching', () => {
  const busy = openGate();
  busy.gate.setControl({ name: 'Grace', you: false });
  busy.gate.act(button(true));
  expect(busy.heard).toEqual(['busy']);
  const watcher = openGate('watch');
  watcher.gate.act(button(true));
  expect(watcher.heard).toEqual(['watch_only']);
  expect([...busy.sent, ...watcher.sent]).toEqual([]);
});

it('lets go of everything that is down, once', () => {
  const { gate, sent } = openGate();
  gate.setControl({ name: 'Ada', you: true });
  gate.act(key(true), button(true));
  gate.releaseAll();
  expect(sent.slice(2)).toEqual([key(false), button(false)]);
  gate.act(key(false), button(false));
  expect(sent).toHaveLength(4);
});
