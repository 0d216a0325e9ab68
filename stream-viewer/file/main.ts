import { takeLinkToken } from '../connection/link-token.ts';
import { element } from '../desktop/element.ts';
import { type FetchedFile, fetchFile } from './fetch-file.ts';

// A file of a thread, `/f/{file}#token`: fetched whole, shown if a browser can, and to be saved.

const again = 'Ask for it again in its thread.';

const token = takeLinkToken({ location, history, storage: () => sessionStorage });
addEventListener('hashchange', () => location.reload());

const card = element('card', HTMLElement);
const progress = element('progress', HTMLProgressElement);
const retry = element('card-retry', HTMLButtonElement);
const voice = element('voice', HTMLElement);

let shown: HTMLElement | null = null;

retry.addEventListener('click', () => void open());
void open();

async function open(): Promise<void> {
  if (token.value === null) return say('This address is not the whole link', again);
  document.body.dataset.state = 'connecting';
  retry.hidden = true;
  progress.hidden = false;
  words('Fetching it', '');
  const answer = await fetchFile(`${location.origin}${location.pathname}/content`, token.value, (share) => {
    progress.value = share;
  });
  if (answer.kind === 'file') return show(answer);
  progress.removeAttribute('value');
  if (answer.kind === 'refused') say('This link does not count any more', again);
  else if (answer.kind === 'gone') say('This file is no longer kept', again);
  else say('It cannot be fetched', 'Check your connection, then try again.', true);
}

function show({ name, content }: FetchedFile): void {
  const url = URL.createObjectURL(content);
  document.title = name;
  element('name', HTMLElement).textContent = name;
  const save = document.createElement('a');
  save.className = 'button';
  save.textContent = 'Save';
  save.href = url;
  save.download = name;
  element('header', HTMLElement).append(save);
  shown = shownAs(content.type, url, name);
  if (shown) element('main', HTMLElement).append(shown);
  document.body.dataset.state = 'live';
  progress.hidden = true;
  card.hidden = shown !== null;
  words(shown ? name : 'It is here', shown ? '' : 'Save it to open it.');
}

/** What shows a file of this type in the page; null: it is only to be saved. */
function shownAs(type: string, url: string, name: string): HTMLElement | null {
  if (type.startsWith('video/')) {
    const video = document.createElement('video');
    video.controls = true;
    video.playsInline = true;
    // What was tapped on is here already: it plays, without sound, which every browser allows. Without this a phone shows a black box.
    video.preload = 'auto';
    video.muted = true;
    video.autoplay = !matchMedia('(prefers-reduced-motion: reduce)').matches;
    video.setAttribute('aria-label', name);
    video.addEventListener('error', () =>
      say('Your browser cannot play it', 'Save it, and open it with another program.'),
    );
    video.src = url;
    return video;
  }
  if (!type.startsWith('image/')) return null;
  const picture = document.createElement('img');
  picture.src = url;
  picture.alt = name;
  return picture;
}

function say(title: string, text: string, mayRetry = false): void {
  document.body.dataset.state = 'error';
  shown?.remove();
  progress.hidden = true;
  retry.hidden = !mayRetry;
  card.hidden = false;
  words(title, text);
}

function words(title: string, text: string): void {
  element('card-title', HTMLElement).textContent = title;
  element('card-text', HTMLElement).textContent = text;
  voice.textContent = `${title}. ${text}`;
}
