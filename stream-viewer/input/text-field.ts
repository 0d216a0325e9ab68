import type { Input } from '../../sandbox/protocol.ts';
import { press, typeText } from './type-text.ts';

/** Something to delete: an on-screen keyboard says nothing about Backspace in an empty field. */
const sentinel = '  ';

/** What the field needs. */
export interface TextFieldPorts {
  field: HTMLTextAreaElement;
  type(inputs: Input[]): void;
  /** What an input method is putting together, to be shown while it does; empty when it is done. */
  composing(text: string): void;
}

/**
 * The hidden field that on-screen keyboards and input methods write into. Nothing stays in it: each piece is sent as soon as it is
 * final, which is when a composition ends, so that a wrong guess of the keyboard is never typed and taken back.
 */
export function listenToTextField({ field, type, composing }: TextFieldPorts): void {
  function clear(): void {
    field.value = sentinel;
    field.setSelectionRange(sentinel.length, sentinel.length);
  }
  clear();

  field.addEventListener('beforeinput', (event) => {
    if (event.isComposing || event.inputType.includes('Composition')) return;
    event.preventDefault();
    type(inputsOf(event));
  });
  field.addEventListener('input', (event) => {
    // Some keyboards write whatever one says.
    if (!(event instanceof InputEvent && event.isComposing)) clear();
  });
  field.addEventListener('compositionupdate', ({ data }) => composing(data));
  field.addEventListener('compositionend', ({ data }) => {
    composing('');
    type(typeText(data));
    clear();
  });
}

function inputsOf({ inputType, data, dataTransfer }: InputEvent): Input[] {
  switch (inputType) {
    case 'insertText':
    case 'insertReplacementText':
      return typeText(data ?? dataTransfer?.getData('text/plain') ?? '');
    case 'insertLineBreak':
    case 'insertParagraph':
      return press('Enter');
    case 'deleteContentForward':
    case 'deleteWordForward':
      return press('Delete');
    default:
      return inputType.startsWith('delete') ? press('Backspace') : [];
  }
}
