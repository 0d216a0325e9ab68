import { takeLinkToken } from '../connection/link-token.ts';
import { element } from '../desktop/element.ts';
import { type ListedDesktop, listDesktops } from './list-desktops.ts';
import { Tile } from './tile.ts';

// The wall, `/wall#token`: all Desktops that the holder of the link may see, as tiles.

const listEveryMs = 5000;

const token = takeLinkToken({ location, history, storage: () => sessionStorage });
addEventListener('hashchange', () => location.reload());

const url = new URL('wall/desktops', location.origin + location.pathname).href;
const list = element('tiles', HTMLUListElement);
const label = element('state', HTMLElement);
const card = element('card', HTMLElement);
const retry = element('card-retry', HTMLButtonElement);
const voice = element('voice', HTMLElement);
const tiles = new Map<string, Tile>();
const tileOf = new WeakMap<Element, Tile>();
let timer: ReturnType<typeof setTimeout> | undefined;

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) tileOf.get(target)?.setSeen(isIntersecting);
});

retry.addEventListener('click', () => void refresh());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refresh();
});
void refresh();

async function refresh(): Promise<void> {
  clearTimeout(timer);
  if (token.value === null)
    return say('error', 'This address is not the whole link', 'Say “wall” to the agent to get a new one.');
  if (!document.hidden) {
    const answer = await listDesktops(url, token.value);
    if (answer.kind === 'refused')
      return say('error', 'This link has expired', 'Say “wall” to the agent to get a new one.');
    if (answer.kind === 'desktops') show(answer.desktops);
    else if (tiles.size === 0)
      say('error', 'The list cannot be fetched', 'Check your connection. It is tried again.', true);
    else label.textContent = 'Not connected: this is how it was a moment ago';
  }
  clearTimeout(timer);
  timer = setTimeout(() => void refresh(), listEveryMs);
}

function show(desktops: readonly ListedDesktop[]): void {
  for (const [id, tile] of tiles) {
    if (desktops.some((desktop) => desktop.id === id)) continue;
    sight.unobserve(tile.item);
    tile.remove();
    tiles.delete(id);
  }
  desktops.forEach((desktop, index) => {
    const tile = tiles.get(desktop.id) ?? add(desktop);
    tile.update(desktop);
    // Moved only when its place has changed: whoever is on it with the keyboard stays there.
    if (list.children[index] !== tile.item) list.insertBefore(tile.item, list.children[index] ?? null);
  });
  if (desktops.length === 0) {
    say('live', 'No desktops yet', 'One appears here as soon as an agent of yours starts to work on a screen.');
    return;
  }
  const running = desktops.filter(({ state }) => state === 'running').length;
  const words = running === desktops.length ? `${running} running` : `${running} of ${desktops.length} running`;
  card.hidden = true;
  document.body.dataset.state = 'live';
  announce(words);
}

function add(desktop: ListedDesktop): Tile {
  const tile = new Tile(desktop);
  tiles.set(desktop.id, tile);
  tileOf.set(tile.item, tile);
  sight.observe(tile.item);
  return tile;
}

function say(state: 'live' | 'error', title: string, text: string, mayRetry = false): void {
  if (state === 'error') {
    for (const tile of tiles.values()) tile.remove();
    tiles.clear();
  }
  document.body.dataset.state = state;
  element('card-title', HTMLElement).textContent = title;
  element('card-text', HTMLElement).textContent = text;
  retry.hidden = !mayRetry;
  card.hidden = false;
  label.textContent = '';
  announce(`${title}. ${text}`, false);
}

function announce(words: string, isLabel = true): void {
  if (isLabel) label.textContent = words;
  if (voice.textContent !== words) voice.textContent = words;
}
