import { createInterface, type Interface } from 'node:readline/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import type { EventFrame, Work } from '../wire.ts';
import { commonBeginning, completionsOf } from './complete-line.ts';
import { Conversation } from './conversation.ts';
import type { FoundCore } from './find-core.ts';
import { GrowingReply } from './growing-reply.ts';
import { asTyped, bracketedPaste, KeyboardFilter } from './keyboard-filter.ts';
import { neutralise, neutraliseLine } from './neutralise.ts';
import { isNew, whyUnheard } from './piped-chat.ts';
import { type LiveRow, Screen } from './screen.ts';
import type { Style } from './style.ts';

const prompt = 'you> ';
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const spinMs = 120;
/** A chat without threads is one Thread until `new` or eight idle hours (design §1). */
const idleHours = 8;

const ownCommands = ['new', 'quit'];
const help = `Here: new begins a new thread, quit (or Ctrl-D) leaves, Ctrl-C stops an agent, Tab completes, Alt-Enter begins a new line.
`;

/** Where a person sits. */
export interface Terminal {
  input: ReadStream;
  output: WriteStream;
  style: Style;
}

/**
 * The chat on a terminal, until the person leaves it.
 *
 * @returns the exit code
 */
export async function interactiveChat(
  core: FoundCore,
  place: { stream?: string | undefined; thread?: string | undefined },
  terminal: Terminal,
): Promise<number> {
  const chat = new InteractiveChat(core, place, terminal);
  return await chat.left;
}

class InteractiveChat {
  readonly left: Promise<number>;
  readonly #leave: (code: number) => void;
  readonly #core: FoundCore;
  readonly #terminal: Terminal;
  readonly #keyboard: KeyboardFilter;
  readonly #readline: Interface;
  readonly #screen: Screen;
  readonly #conversation: Conversation;
  readonly #replies = new Map<string, GrowingReply>();
  #spin: NodeJS.Timeout | undefined;
  #turn = 0;
  #busySince: number | undefined;
  #lastHeard = Date.now();
  #hint = '';
  #away = false;
  #waitsFor: string | undefined;
  #stopping = false;
  #leavesNext = false;
  #closed = false;

  constructor(
    core: FoundCore,
    place: { stream?: string | undefined; thread?: string | undefined },
    terminal: Terminal,
  ) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.left = promise;
    this.#leave = resolve;
    this.#core = core;
    this.#terminal = terminal;
    const { input, output, style } = terminal;
    this.#keyboard = new KeyboardFilter(input);
    this.#readline = createInterface({
      input: this.#keyboard,
      output,
      terminal: true,
      prompt: style.own(prompt),
      tabSize: 4,
      completer: (line: string): [string[], string] => this.#complete(line),
    });
    this.#screen = new Screen(this.#readline, output, prompt);
    this.#conversation = new Conversation(core.connection, place, {
      said: (event, answers) => this.#said(event, answers),
      changed: () => this.#changed(),
      connected: (is) => this.#connected(is),
      refused: (error) => this.#print(style.problem(`${neutraliseLine(error.message)}\n`)),
    });
    this.#listen();
    output.write(bracketedPaste.on);
    output.write(style.quiet('Ctrl-C stops an agent, Ctrl-D leaves, /help says more.\n'));
    this.#readline.prompt();
    if (place.thread) this.#conversation.tellFromTheBeginning();
  }

  #listen(): void {
    const { input, output } = this.#terminal;
    input.setEncoding('utf8').pipe(this.#keyboard);
    input.on('error', () => this.#end(0));
    this.#readline.on('line', (line) => this.#taken(line));
    this.#readline.on('SIGINT', () => this.#interrupted());
    this.#readline.on('close', () => this.#end(0));
    // before readline hears of the key, and may have us show another hint
    this.#keyboard.prependListener('keypress', (_text: string | undefined, key: { ctrl?: boolean; name?: string }) => {
      if (!(key.ctrl && key.name === 'c')) this.#leavesNext = false;
      this.#setHint('');
    });
    output.on('resize', () => this.#screen.resized());
    process.once('SIGTERM', () => this.#end(143));
    process.once('SIGHUP', () => this.#end(129));
  }

  #end(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#spin);
    this.#conversation.close();
    this.#screen.leave();
    this.#terminal.output.write(bracketedPaste.off);
    this.#terminal.input.unpipe(this.#keyboard).pause();
    this.#readline.close();
    this.#leave(code);
  }

  // ------------------------------------------------------------------------------------------------ what the person does

  #taken(line: string): void {
    const text = asTyped(line);
    const { style } = this.#terminal;
    const echo = neutralise(text).replaceAll('\n', `\n${' '.repeat(prompt.length)}`);
    for (const reply of this.#replies.values()) reply.interrupt();
    this.#screen.taken(line, text.trim() === '' ? '' : `${style.own(prompt)}${echo}\n`);
    if (text.trim() === '') return;
    if (/^\s*\/?(quit|exit)\s*$/i.test(text)) this.#end(0);
    else if (isNew(text)) this.#beginThread('A new thread begins.');
    else this.#say(text);
  }

  #say(text: string): void {
    if (/^\s*\/?help\s*$/i.test(text)) this.#print(this.#terminal.style.quiet(help));
    if (Date.now() - this.#lastHeard > idleHours * 3_600_000 && this.#conversation.working.length === 0)
      this.#beginThread(`Nothing was said for ${idleHours} hours: a new thread begins.`);
    this.#lastHeard = Date.now();
    void this.#send(text);
  }

  async #send(text: string): Promise<void> {
    try {
      const unheard = whyUnheard(await this.#conversation.send(text));
      if (unheard) this.#quiet(unheard);
    } catch (error) {
      if (!this.#closed) this.#problem(`not sent: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #beginThread(why: string): void {
    const { thread, working } = this.#conversation;
    const behind = working.length > 0 ? ` What goes on in the old one: npm run chat -- --thread ${thread}` : '';
    this.#replies.clear();
    this.#conversation.begin();
    this.#quiet(why + behind);
  }

  #interrupted(): void {
    if (this.#conversation.working.length > 0) {
      void this.#stop();
    } else if (this.#readline.line !== '') {
      this.#readline.write(null, { ctrl: true, name: 'e' });
      this.#readline.write(null, { ctrl: true, name: 'u' });
    } else if (this.#leavesNext) {
      this.#end(0);
    } else {
      this.#leavesNext = true;
      this.#setHint('Ctrl-C once more, or Ctrl-D, leaves.');
    }
  }

  async #stop(): Promise<void> {
    if (this.#stopping) {
      this.#setHint('It has been told to stop. Ctrl-D leaves.');
      return;
    }
    this.#stopping = true;
    this.#draw();
    try {
      await this.#conversation.stopWork();
    } catch (error) {
      this.#stopping = false;
      this.#problem(`not stopped: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** One candidate is written out; of several their common beginning, and they are shown above the line. */
  #complete(line: string): [string[], string] {
    const found = completionsOf(line, this.#core.completions, ownCommands);
    const common = commonBeginning(found);
    if (found.length > 1) this.#setHint(found.map(neutraliseLine).join('   '));
    if (found.length === 1) return [[`${common} `], line];
    return [common.length > line.length ? [common] : [], line];
  }

  // ------------------------------------------------------------------------------------------------ what the person sees

  #said(event: EventFrame, answers: boolean): void {
    this.#lastHeard = Date.now();
    const { style } = this.#terminal;
    const body = neutralise(event.body);
    if (event.sourceKind === 'notice' && !answers) {
      this.#quiet(body);
      return;
    }
    const name = neutraliseLine(event.author?.name ?? 'Switchboard');
    const growing = event.activation ? this.#replies.get(event.activation) : undefined;
    const reply = growing ?? new GrowingReply(name);
    if (event.activation) this.#replies.delete(event.activation);
    this.#print(highlight(reply.finish(body), name, style));
  }

  #changed(): void {
    const reason = this.#conversation.waitsFor;
    if (reason && reason !== this.#waitsFor) this.#quiet(reason);
    this.#waitsFor = reason;
    this.#draw();
  }

  #connected(is: boolean): void {
    this.#away = !is;
    this.#quiet(is ? 'Connected again.' : 'The connection was lost: trying again …');
  }

  #quiet(text: string): void {
    this.#print(this.#terminal.style.quiet(`${neutralise(text)}\n`));
  }

  #problem(text: string): void {
    this.#print(this.#terminal.style.problem(`${neutralise(text)}\n`));
  }

  #setHint(hint: string): void {
    if (this.#hint === hint) return;
    this.#hint = hint;
    this.#draw();
  }

  /** Prints for good: in the midst of a long reply too, which then goes on below. */
  #print(text: string): void {
    if (text === '') return;
    for (const reply of this.#replies.values()) reply.interrupt();
    this.#draw(text);
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
    const { style } = this.#terminal;
    for (const activation of this.#replies.keys())
      if (!this.#conversation.drafts.has(activation)) this.#replies.delete(activation);
    for (const [activation, draft] of this.#conversation.drafts) {
      const text = neutralise(draft).trimStart();
      if (text === '' && !this.#replies.has(activation)) continue;
      const name = neutraliseLine(this.#nameOf(activation));
      const reply = this.#replies.get(activation) ?? new GrowingReply(name);
      this.#replies.set(activation, reply);
      const { print = '', rows } = reply.layOut(text, this.#screen.columns, Math.max(room, 1));
      const [first = '', ...others] = rows;
      return { print: highlight(print, name, style), rows: [highlight(first, name, style), ...others] };
    }
    return { print: '', rows: [] };
  }

  #nameOf(activation: string): string {
    return this.#conversation.working.find((work) => work.activation === activation)?.worker.name ?? 'agent';
  }

  #statusRows(): LiveRow[] {
    const { style } = this.#terminal;
    const rows = [];
    const { working, unsent } = this.#conversation;
    if (working.length > 0) {
      const sign = spinner[this.#turn % spinner.length];
      const seconds = Math.floor((performance.now() - (this.#busySince ?? performance.now())) / 1000);
      const what = this.#away ? 'no connection …' : this.#stopping ? 'stopping …' : working.map(describe).join(', ');
      rows.push(`${sign} ${what}${seconds >= 2 ? ` ${seconds} s` : ''}`);
    }
    if (this.#away && unsent > 0)
      rows.push(`${unsent === 1 ? 'a message waits' : `${unsent} messages wait`} to be sent`);
    if (this.#hint !== '') rows.push(this.#hint);
    return rows.map((row) => style.quiet(cut(neutraliseLine(row), this.#screen.columns)));
  }

  #mindTheSpinner(): void {
    const busy = this.#conversation.working.length > 0;
    if (!busy) {
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
