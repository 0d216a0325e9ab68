import type { ViewerMessage } from '../../sandbox/protocol.ts';
import type { ControlState, InputGate } from '../input/input-gate.ts';
import type { Screen } from '../picture/screen.ts';
import { element } from './element.ts';
import { fittingSize } from './fitting-size.ts';

/** Where the picture fills the stage to within a tenth, filling it changes nothing: zooming means twice as large. */
const worthFilling = 1.1;

/** What the buttons do. */
export interface ToolPorts {
  stage: HTMLElement;
  screen: Screen;
  gate: InputGate;
  send(message: ViewerMessage): void;
  paste(): void;
  /** The on-screen keyboard and its row of keys, or not. */
  toggleKeyboard(): void;
}

/** The buttons below (or beside) the picture. */
export function createTools({ stage, screen, gate, send, paste, toggleKeyboard }: ToolPorts) {
  const take = element('take', HTMLButtonElement);
  const takeText = element('take-text', HTMLElement);
  const zoom = element('zoom', HTMLButtonElement);
  const zoomText = element('zoom-text', HTMLElement);
  const fit = element('fit-screen', HTMLButtonElement);
  const fitText = element('fit-screen-text', HTMLElement);
  const whole = element('whole', HTMLButtonElement);
  /** The size before it was fitted to this page, to go back to. */
  let before: { width: number; height: number } | null = null;

  take.addEventListener('click', () => {
    gate.releaseAll();
    send({ type: gate.controls ? 'release_control' : 'request_control' });
  });
  element('keyboard', HTMLButtonElement).addEventListener('click', toggleKeyboard);
  // On touch the field must not lose the focus before the click: the keyboard would go and come.
  element('keyboard', HTMLButtonElement).addEventListener('mousedown', (event) => event.preventDefault());
  element('paste', HTMLButtonElement).addEventListener('click', paste);

  zoom.addEventListener('click', () => {
    const { viewport } = screen;
    const middle = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 };
    const larger = viewport.zoomThatFills > worthFilling ? viewport.zoomThatFills : 2;
    screen.zoomBy(viewport.zoom > 1 ? 1 / viewport.zoom : larger, middle);
  });

  /** It may have been refused: only the desktop's size says whether it was done. */
  const isFitted = () =>
    before !== null && (before.width !== screen.size.width || before.height !== screen.size.height);
  fit.addEventListener('click', () => {
    if (before && isFitted()) {
      send({ type: 'resize', ...before });
      return;
    }
    before = screen.size;
    send({ type: 'resize', ...fittingSize({ width: stage.clientWidth, height: stage.clientHeight }) });
  });

  whole.hidden = !document.fullscreenEnabled;
  whole.addEventListener('click', () => {
    const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    done.catch((error: unknown) => console.warn(`no full screen: ${error}`));
  });
  document.addEventListener('fullscreenchange', () => {
    whole.ariaPressed = String(document.fullscreenElement !== null);
  });

  return {
    /** What a watch link has no use for is not there. */
    setMode(mode: 'watch' | 'control'): void {
      document.body.dataset.mode = mode;
      for (const button of document.querySelectorAll<HTMLElement>('.for-control')) button.hidden = mode === 'watch';
    },
    setControl({ you }: ControlState): void {
      document.body.classList.toggle('controls', you);
      takeText.textContent = you ? 'Give back' : 'Take over';
      for (const id of ['paste', 'fit-screen']) element(id, HTMLButtonElement).disabled = !you;
    },
    /** The picture lies elsewhere. */
    placed(): void {
      const isZoomed = screen.viewport.zoom > 1.01;
      zoom.ariaPressed = String(isZoomed);
      zoomText.textContent = isZoomed ? 'Fit' : 'Zoom';
      fitText.textContent = isFitted() ? 'Size back' : 'Resize';
    },
  };
}
