import type { InputGate } from './input-gate.ts';
import { type Key, keyOf } from './keysyms.ts';
import type { StickyModifiers } from './sticky-modifiers.ts';
import { press, typeText } from './type-text.ts';

/** The text of these comes by the field's input events: an input method, a phone's keyboard, a dead key that waits for its letter. */
const comesAsText = new Set(['Dead', 'Process', 'Unidentified', 'Compose', 'AltGraph']);
/** A paste follows its keys at once. */
const pasteWithinMs = 1000;
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** What keys need. */
export interface HardwareKeyboardPorts {
  /** Keys are heard where the focus is in here. */
  stage: HTMLElement;
  gate: InputGate;
  sticky: StickyModifiers;
  /** Puts text on the Desktop's clipboard. */
  copyThere(text: string): boolean;
  /** The person wants to get out of the picture with the keyboard. */
  leave(): void;
}

/**
 * Keys of a real keyboard become keysyms, pressed and released as the person does; what needs more than a key (AltGr, an accent,
 * another script) becomes text. Shift+Escape leaves the picture, since Tab is the Desktop's. On a Mac, Command is Control there.
 */
export function listenToHardwareKeyboard({ stage, gate, sticky, copyThere, leave }: HardwareKeyboardPorts): void {
  /** What each key that is down was sent as: it may mean something else when it comes up. */
  const down = new Map<string, number>();
  let pasteKey: { key: string; at: number } | null = null;

  function send(code: string, keysym: number, isDown: boolean): void {
    if (isDown) down.set(code, keysym);
    else down.delete(code);
    gate.act({ type: 'key', down: isDown, keysym });
  }

  stage.addEventListener('keydown', (event) => {
    if (gate.mode === 'watch' || event.isComposing || comesAsText.has(event.key)) return;
    if (event.key === 'Escape' && event.shiftKey) {
      event.preventDefault();
      gate.releaseAll();
      return leave();
    }
    const key = keyOf(isMac && event.key === 'Meta' ? 'Control' : event.key, event.location);
    // Without control the page's own keys go on working; a letter or Enter asks for it.
    if (!key || (!gate.controls && !asksForControl(event, key))) return;
    if (isPaste(event)) {
      pasteKey = { key: event.key, at: performance.now() };
      return;
    }
    event.preventDefault();
    if (key.kind === 'character' && isText(event, key)) {
      // AltGr is Ctrl and Alt on some systems, and they would be held while the text is typed.
      gate.releaseAll();
      return gate.act(...typeText(event.key));
    }
    const code = event.code || event.key;
    // Once more down without having come up is a repetition: the Desktop repeats nothing by itself.
    if (!event.repeat && sticky.isOn && key.kind !== 'modifier') {
      gate.act(...sticky.around(press(event.key)));
      return;
    }
    send(code, key.keysym, true);
  });

  stage.addEventListener('keyup', (event) => {
    const code = event.code || event.key;
    const keysym = down.get(code);
    if (keysym === undefined) return;
    event.preventDefault();
    send(code, keysym, false);
    // A Mac says nothing of letters that come up while Command is down.
    if (isMac && event.key === 'Meta') releaseAll();
  });

  stage.addEventListener('paste', (event) => {
    event.preventDefault();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text === '' || !gate.controls) return;
    const byKeys = pasteKey !== null && performance.now() - pasteKey.at < pasteWithinMs;
    // By a menu or an on-screen keyboard: the person sees a place for text, and wants it typed.
    if (!byKeys) return gate.act(...sticky.around(typeText(text)));
    if (copyThere(text)) gate.act(...press(pasteKey?.key ?? 'v'));
  });

  function releaseAll(): void {
    down.clear();
    gate.releaseAll();
  }
  stage.addEventListener('focusout', ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node && stage.contains(relatedTarget))) releaseAll();
  });
  addEventListener('blur', releaseAll);
}

function isPaste(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'v';
}

function isText(event: KeyboardEvent, { keysym }: Key): boolean {
  if (event.getModifierState('AltGraph') || (isMac && event.altKey)) return true;
  return keysym > 0x7e && !event.ctrlKey && !event.altKey && !event.metaKey;
}

function asksForControl(event: KeyboardEvent, key: Key): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  return key.kind === 'character' || event.key === 'Enter';
}
