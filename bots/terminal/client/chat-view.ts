import type { EventFrame, Work } from '../wire.ts';
import type { Conversation } from './conversation.ts';
import { GrowingReply } from './growing-reply.ts';
import { neutralise, neutraliseLine } from './neutralise.ts';
import type { LiveRow, Screen } from './screen.ts';
import { shownBody } from './shown-body.ts';
import type { Style } from './style.ts';

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const spinMs = 120;
/** Sooner than this nobody asks how long it takes. */
const secondsShownFrom = 2;

/** What a conversation looks like on a screen: what was said, the replies that grow, who works, and a hint now and then. */
export class ChatView {
  readonly #conversation: Conversation;
  readonly #screen: Screen;
  readonly #style: Style;
  readonly #replies = new Map<string, GrowingReply>();
  #spin: NodeJS.Timeout | undefined;
  #turn = 0;
  #busySince: number | undefined;
  #waitsFor: string | undefined;
  #hint = '';
  #away = false;
  #stopping = false;
  #closed = false;

  constructor(conversation: Conversation, screen: Screen, style: Style) {
    this.#conversation = conversation;
    this.#screen = screen;
    this.#style = style;
  }

  /** Somebody else's Event, or the core's. */
  said(event: EventFrame, answers: boolean): void {
    if (event.sourceKind === 'notice' && !answers) {
      this.note(shownBody(event));
      return;
    }
    const name = neutraliseLine(event.author?.name ?? 'Switchboard');
    const growing = event.activation ? this.#replies.get(event.activation) : undefined;
    if (event.activation) this.#replies.delete(event.activation);
    this.#print(highlight((growing ?? new GrowingReply(name)).finish(neutralise(shownBody(event))), name, this.#style));
  }

  /** The person's own words, which readline has taken. `line` as readline had it. */
  own(line: string, prompt: string, text: string): void {
    const echo = neutralise(text).replaceAll('\n', `\n${' '.repeat(prompt.length)}`);
    this.#interruptReplies();
    this.#screen.taken(line, text.trim() === '' ? '' : `${this.#style.own(prompt)}${echo}\n`);
  }

  /** What nobody has said. */
  note(text: string): void {
    this.#print(this.#style.quiet(`${neutralise(text)}\n`));
  }

  problem(text: string): void {
    this.#print(this.#style.problem(`${neutralise(text)}\n`));
  }

  connected(is: boolean): void {
    this.#away = !is;
    this.note(is ? 'Connected again.' : 'The connection was lost: trying again …');
  }

  /** The conversation is another one now. */
  changed(): void {
    const reason = this.#conversation.waitsFor;
    if (reason && reason !== this.#waitsFor) this.note(reason);
    this.#waitsFor = reason;
    this.#draw();
  }

  /** Those who work have been told to stop, or could not be. */
  set stopping(are: boolean) {
    this.#stopping = are;
    this.#draw();
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** A row above the prompt, until another one takes its place; '' for none. */
  set hint(hint: string) {
    if (this.#hint === hint) return;
    this.#hint = hint;
    this.#draw();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#spin);
    this.#screen.leave();
  }

  /** For good: in the midst of a long reply too, which then goes on below. */
  #print(text: string): void {
    if (text === '') return;
    this.#interruptReplies();
    this.#draw(text);
  }

  #interruptReplies(): void {
    for (const reply of this.#replies.values()) reply.interrupt();
  }

  #draw(stays = ''): void {
    if (this.#closed) return;
    this.#mindTheSpinner();
    const status = this.#statusRows();
    const { print, rows } = this.#replyRows(this.#screen.room - status.length);
    this.#screen.draw([...rows, ...status], stays + print);
  }

  /** The first reply that is being written; a second one waits, so that they do not run into one another. */
  #replyRows(room: number): { print: string; rows: LiveRow[] } {
    const { drafts, working } = this.#conversation;
    for (const activation of this.#replies.keys()) if (!drafts.has(activation)) this.#replies.delete(activation);
    for (const [activation, draft] of drafts) {
      const text = neutralise(draft).trimStart();
      if (text === '' && !this.#replies.has(activation)) continue;
      const name = neutraliseLine(working.find((work) => work.activation === activation)?.worker.name ?? 'agent');
      const reply = this.#replies.get(activation) ?? new GrowingReply(name);
      this.#replies.set(activation, reply);
      const { print, rows } = reply.layOut(text, this.#screen.columns, Math.max(room, 1));
      const [first = '', ...others] = rows;
      return {
        print: highlight(print, name, this.#style),
        rows: [highlight(first, name, this.#style), ...others],
      };
    }
    return { print: '', rows: [] };
  }

  #statusRows(): LiveRow[] {
    const rows = [];
    const { working, unsent } = this.#conversation;
    if (working.length > 0) {
      const seconds = Math.floor((performance.now() - (this.#busySince ?? performance.now())) / 1000);
      const time = seconds >= secondsShownFrom ? ` ${seconds} s` : '';
      rows.push(`${spinner[this.#turn % spinner.length]} ${this.#whatGoesOn(working)}${time}`);
    }
    if (this.#away && unsent > 0)
      rows.push(unsent === 1 ? 'a message waits to be sent' : `${unsent} messages wait to be sent`);
    if (this.#hint !== '') rows.push(this.#hint);
    return rows.map((row) => this.#style.quiet(cut(neutraliseLine(row), this.#screen.columns)));
  }

  #whatGoesOn(working: readonly Work[]): string {
    if (this.#away) return 'no connection …';
    if (this.#stopping) return 'stopping …';
    return working.map(describe).join(', ');
  }

  #mindTheSpinner(): void {
    if (this.#conversation.working.length === 0) {
      clearInterval(this.#spin);
      this.#spin = undefined;
      this.#busySince = undefined;
      this.#stopping = false;
      return;
    }
    this.#busySince ??= performance.now();
    this.#spin ??= setInterval(() => {
      this.#turn++;
      this.#draw();
    }, spinMs);
  }
}

function describe({ worker, state }: Work): string {
  switch (state) {
    case 'queued':
      return `${worker.name} is about to begin …`;
    case 'running':
      return `${worker.name} is working …`;
    case 'waiting':
      return `${worker.name} waits to try again …`;
  }
}

/** Colours the name at the head of a reply. */
function highlight(text: string, name: string, style: Style): string {
  const head = [`${name}> `, `${name} (goes on)> `].find((each) => text.startsWith(each)) ?? '';
  return style.name(head) + text.slice(head.length);
}

function cut(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, Math.max(columns - 1, 0))}…` : text;
}
