import { fetchStill } from '../picture/fetch-still.ts';
import type { ListedDesktop } from './list-desktops.ts';

const stillEveryMs = 1000;
const stillQuality = 60;

const stateWords: Record<ListedDesktop['state'], string> = {
  starting: 'It is starting.',
  running: '',
  stopped: 'It has stopped.',
  failed: 'It could not be started.',
};

/** One Desktop on the wall: a link to its page with a still that is renewed each second while it can be seen. */
export class Tile {
  readonly item = document.createElement('li');
  readonly #link = document.createElement('a');
  readonly #canvas = document.createElement('canvas');
  readonly #instead = document.createElement('span');
  readonly #title = document.createElement('span');
  readonly #subtitle = document.createElement('span');
  #desktop: ListedDesktop;
  #etag: string | null = null;
  #seen = false;
  #asking: AbortController | null = null;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(desktop: ListedDesktop) {
    this.#desktop = desktop;
    const picture = named('span', 'picture');
    const words = named('span', 'words');
    this.#link.className = 'tile';
    this.#instead.className = 'instead';
    this.#title.className = 'title';
    this.#subtitle.className = 'subtitle';
    picture.append(this.#instead, this.#canvas);
    words.append(named('i', 'dot'), this.#title, this.#subtitle);
    this.#link.append(picture, words);
    this.item.append(this.#link);
    this.update(desktop);
    this.#timer = setInterval(() => void this.#renew(), stillEveryMs);
  }

  update(desktop: ListedDesktop): void {
    this.#desktop = desktop;
    const { title, subtitle, state, url } = desktop;
    this.#link.href = url;
    this.#link.dataset.state = state;
    this.#link.ariaLabel = [title, subtitle, stateWords[state]].filter((part) => part !== '').join('. ');
    this.#title.textContent = title;
    this.#subtitle.textContent = subtitle;
    this.#instead.textContent = stateWords[state];
    this.#canvas.hidden = state !== 'running';
  }

  /** What nobody can see is not fetched. */
  setSeen(seen: boolean): void {
    this.#seen = seen;
    if (seen) void this.#renew();
  }

  remove(): void {
    clearInterval(this.#timer);
    this.#asking?.abort();
    this.item.remove();
  }

  async #renew(): Promise<void> {
    const page = new URL(this.#desktop.url, location.href);
    // The token goes to nobody but the core that this page came from.
    const isOurs = page.origin === location.origin;
    if (!isOurs || !this.#seen || document.hidden || this.#asking || this.#desktop.state !== 'running') return;
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const answer = await fetchStill({
        url: `${page.origin}${page.pathname.replace(/\/$/, '')}/screenshot`,
        token: decodeURIComponent(page.hash.slice(1)),
        quality: stillQuality,
        width: Math.min(this.#desktop.width, Math.ceil((this.#link.clientWidth * devicePixelRatio) / 80) * 80),
        etag: this.#etag,
        signal: asking.signal,
      });
      if (answer.kind !== 'changed') return;
      this.#etag = answer.etag;
      this.#canvas.width = answer.image.width;
      this.#canvas.height = answer.image.height;
      this.#canvas.getContext('2d')?.drawImage(answer.image, 0, 0);
      answer.image.close();
    } catch (error) {
      if (!asking.signal.aborted)
        console.warn(`no still of ${this.#desktop.id}: ${error instanceof Error ? error.message : error}`);
    } finally {
      this.#asking = null;
    }
  }
}

function named(kind: string, className: string): HTMLElement {
  const made = document.createElement(kind);
  made.className = className;
  return made;
}
