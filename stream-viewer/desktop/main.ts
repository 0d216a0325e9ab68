import type { ServerMessage } from '../../sandbox/protocol.ts';
import { Connection, type End } from '../connection/connection.ts';
import { takeLinkToken } from '../connection/link-token.ts';
import { listenToHardwareKeyboard } from '../input/hardware-keyboard.ts';
import { InputGate } from '../input/input-gate.ts';
import { listenToPointer } from '../input/pointer.ts';
import { Cursor } from '../picture/cursor.ts';
import { mayRetry, Picture, type WhyStills } from '../picture/picture.ts';
import { Screen } from '../picture/screen.ts';
import { Viewport } from '../picture/viewport.ts';
import { Sound } from '../sound/sound.ts';
import { createCard } from './card.ts';
import { createClipboard } from './clipboard.ts';
import { element } from './element.ts';
import { followVisibleHeight } from './follow-visible-height.ts';
import { createOnScreenKeyboard } from './on-screen-keyboard.ts';
import { createPeople } from './people.ts';
import { createRipple } from './ripple.ts';
import { createPageState } from './state.ts';
import { createToast } from './toast.ts';
import { createTools } from './tools.ts';
import { endings, stillsNotes } from './words.ts';

// The page of one Desktop, `/d/{desktop}#token`. Everything that it knows arrives over one socket; this file joins the parts.

const token = takeLinkToken({ location, history, storage: () => sessionStorage });
// A second link of this Desktop in the same tab changes the fragment only: begin anew with it.
addEventListener('hashchange', () => location.reload());

const page = location.origin + location.pathname.replace(/\/$/, '');
const stage = element('stage', HTMLElement);
const note = element('note', HTMLButtonElement);
const noteText = element('note-text', HTMLElement);
const quality = element('quality', HTMLElement);

const state = createPageState();
const toast = createToast(state);
const people = createPeople(state);
const card = createCard(state, () => {
  waitForPicture('Connecting', 'The picture will be here in a moment.');
  connection.tryNow();
});
const ripple = createRipple();

const connection: Connection = new Connection(`${page.replace(/^http/, 'ws')}/stream`, token, {
  message: understand,
  media(frame) {
    if (frame.type === 'video') picture.video(frame);
    else if (frame.type === 'patch') picture.patch(frame);
    else sound.play(frame);
  },
  roundTrip(ms) {
    showQuality({ ms });
    picture.roundTrip(ms);
  },
  lost(why) {
    gate.reset();
    picture.lost();
    cursor.hide();
    people.control({ name: null, you: false });
    tools.setControl({ name: null, you: false });
    waitForPicture('Reconnecting', why ?? 'The connection was lost. It is being made again.');
  },
  ended,
});

const gate: InputGate = new InputGate({
  send: (input) => connection.input(input),
  ask: () => connection.send({ type: 'request_control' }),
  refused(why) {
    if (why === 'watch_only') toast('This link is for watching. Ask for a control link in the thread to take part.');
    if (why === 'unanswered') toast('Control was not given. Tap again to try once more.');
    if (why === 'busy')
      toast('Somebody else controls the desktop.', {
        label: 'Take over',
        run: () => connection.send({ type: 'request_control' }),
      });
  },
});

const viewport = new Viewport();
const screen: Screen = new Screen(stage, element('screen', HTMLCanvasElement), viewport, () => {
  cursor.place();
  tools.placed();
});
const cursor: Cursor = new Cursor(element('cursor', HTMLCanvasElement), viewport, () => screen.size);

const picture: Picture = new Picture({
  screen,
  stills: { url: `${page}/screenshot`, token: () => token.value },
  send: (message) => connection.send(message),
  acknowledge: (sequence) => connection.input({ type: 'ack', sequence }),
  painted: () => connection.painted(),
  shows(means) {
    card.hide();
    note.hidden = picture.why === null;
    state.set(means);
  },
  changed: showNote,
});
note.addEventListener('click', () => picture.retry());

const sound = new Sound((enabled) => connection.send({ type: 'set_sound_enabled', enabled }));
const soundButton = element('sound', HTMLButtonElement);
soundButton.addEventListener('click', () => {
  soundButton.ariaPressed = String(sound.toggle());
});

const keyboard = createOnScreenKeyboard(gate);
const clipboard = createClipboard({ gate, toast, send: (message) => connection.send(message) });
const tools = createTools({
  stage,
  screen,
  gate,
  send: (message) => connection.send(message),
  paste: () => void clipboard.paste(),
  toggleKeyboard: keyboard.toggle,
});
listenToPointer({
  stage,
  screen,
  cursor,
  gate,
  touched(at, by) {
    if (by === 'finger') ripple(at);
    if (gate.mode === 'control') keyboard.focus();
  },
});
listenToHardwareKeyboard({
  stage,
  gate,
  sticky: keyboard.sticky,
  copyThere: clipboard.copyThere,
  leave: () => element('take', HTMLButtonElement).focus(),
});

followVisibleHeight();
addEventListener('online', () => connection.awake());
addEventListener('pageshow', () => connection.awake());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) connection.awake();
});
tools.setControl({ name: null, you: false });
connection.open();

function understand(message: ServerMessage): void {
  switch (message.type) {
    case 'hello':
      gate.setMode(message.mode);
      tools.setMode(message.mode);
      picture.hello(message);
      break;
    case 'cursor':
      void cursor.show(message);
      break;
    case 'controller':
      gate.setControl(message);
      tools.setControl(message);
      people.control(message);
      break;
    case 'viewers':
      people.watch(message.names);
      break;
    case 'video':
      showQuality({ bitrate: message.enabled ? message.bitrate : 0 });
      picture.decided(message);
      break;
    case 'sound':
      // Most desktops have none, and say nothing of it.
      soundButton.hidden = !('AudioDecoder' in globalThis);
      sound.told(message.enabled);
      break;
    case 'clipboard':
      clipboard.offer(message.text);
      break;
    case 'error':
      // Why it is not there is on the card as soon as the socket closes; the rest is about something that the person did.
      if (message.code !== 'unavailable') toast(message.message);
  }
}

function waitForPicture(title: string, text: string): void {
  state.set('connecting');
  note.hidden = true;
  card.show({ title, text }, { mayRetry: false, busy: true });
}

function ended(end: End): void {
  const words = endings[end];
  gate.reset();
  picture.lost();
  cursor.hide();
  note.hidden = true;
  state.set(words.over ? 'ended' : 'error');
  card.show(words, { mayRetry: words.mayRetry, busy: false });
}

function showNote(why: WhyStills | null): void {
  note.hidden = why === null;
  if (why === null) return;
  noteText.textContent = stillsNotes[why];
  note.disabled = !mayRetry(why);
  state.say(stillsNotes[why]);
  if (state.now === 'live') state.set('stills');
}

const measured = { ms: 0, bitrate: 0 };
function showQuality(news: Partial<typeof measured>): void {
  Object.assign(measured, news);
  const rate = measured.bitrate > 0 ? ` · ${(measured.bitrate / 1e6).toFixed(1)} Mbit/s` : '';
  quality.textContent = measured.ms > 0 ? `${Math.round(measured.ms)} ms away${rate}` : '';
}
