import { type ViewerMessage, viewerMessageAtMost } from '../../sandbox/protocol.ts';
import type { InputGate } from '../input/input-gate.ts';
import { typeText } from '../input/type-text.ts';
import { element } from './element.ts';
import type { Toast } from './toast.ts';

/** What the two clipboards need. */
export interface ClipboardPorts {
  gate: InputGate;
  toast: Toast;
  send(message: ViewerMessage): void;
}

/**
 * Text between the person's clipboard and the Desktop's. Neither way by itself: a browser wants a tap before it gives or takes, and
 * nobody wants a desktop's text in their clipboard unasked.
 */
export function createClipboard({ gate, toast, send }: ClipboardPorts) {
  const dialog = element('paste-dialog', HTMLDialogElement);
  const field = element('paste-field', HTMLTextAreaElement);

  /** False: it is too long, and the person was told. */
  function copyThere(text: string): boolean {
    const message = { type: 'clipboard', text } as const;
    const isTooLong = new TextEncoder().encode(JSON.stringify(message)).byteLength > viewerMessageAtMost;
    if (isTooLong) toast('That is too much text for the desktop’s clipboard, which takes 1 MB: copy less at once.');
    else send(message);
    return !isTooLong;
  }

  function hand(text: string): void {
    if (text === '') {
      toast('Your clipboard has no text.');
      return;
    }
    if (!copyThere(text)) return;
    toast('It is on the desktop’s clipboard: paste it there.', {
      label: 'Type it instead',
      run: () => gate.act(...typeText(text)),
    });
  }

  dialog.addEventListener('close', () => {
    if (dialog.returnValue === 'send') hand(field.value);
    field.value = '';
  });

  return {
    copyThere,
    /** From a tap on the button. Where the browser doesn't let a page read, the person pastes into a field. */
    async paste(): Promise<void> {
      try {
        hand(await navigator.clipboard.readText());
      } catch {
        // Refused, or there is no such thing on an http page.
        dialog.returnValue = '';
        dialog.showModal();
      }
    },
    /** Something was copied on the Desktop. It may be a password: only its length is shown. */
    offer(text: string): void {
      if (text === '' || !isSecureContext) return;
      toast(`The desktop has copied ${text.length === 1 ? 'one character' : `${text.length} characters`}.`, {
        label: 'Copy here',
        run: () => void copyHere(text),
      });
    },
  };

  async function copyHere(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      toast('Copied.');
    } catch {
      toast('Your browser did not let this page copy. Allow it for this site and try again.');
    }
  }
}
