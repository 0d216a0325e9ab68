import { createInterface, type Interface } from 'node:readline/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { ChatView } from './chat-view.ts';
import { commonBeginning, completionsOf } from './complete-line.ts';
import { Conversation } from './conversation.ts';
import type { FoundCore } from './find-core.ts';
import { asTyped, bracketedPaste, KeyboardFilter } from './keyboard-filter.ts';
import { neutraliseLine } from './neutralise.ts';
import { isNew, isQuit, ownCommands, whyUnheard } from './own-words.ts';
import { Screen } from './screen.ts';
import type { Style } from './style.ts';

const prompt = 'you> ';
/** A chat without threads is one Thread until `new` or eight idle hours (design §1). */
const idleHours = 8;

const firstLine = 'Ctrl-C stops an agent, Ctrl-D leaves, /help says more.\n';
const help =
  'Here: new begins a new thread, quit (or Ctrl-D) leaves, Ctrl-C stops an agent, Tab completes, Alt-Enter begins a new line.';

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
  readonly #view: ChatView;
  #lastHeard = Date.now();
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
      completer: (line: string): [string[], string] => this.#complete(line),
    });
    this.#screen = new Screen(this.#readline, output, prompt);
    this.#conversation = new Conversation(core.connection, place, {
      said: (event, answers) => {
        this.#lastHeard = Date.now();
        this.#view.said(event, answers);
      },
      changed: () => this.#view.changed(),
      connected: (is) => this.#view.connected(is),
      refused: (error) => this.#view.problem(error.message),
    });
    this.#view = new ChatView(this.#conversation, this.#screen, style);
    this.#listen();
    output.write(bracketedPaste.on + style.quiet(firstLine));
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
      this.#view.hint = '';
      this.#screen.beforeKey();
    });
    output.on('resize', () => this.#screen.resized());
    for (const [signal, code] of [
      ['SIGHUP', 129],
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)
      process.once(signal, () => this.#end(code));
    // whatever ends this process: the terminal is somebody's
    process.once('exit', () => output.write(bracketedPaste.off));
  }

  #end(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conversation.close();
    this.#view.close();
    this.#terminal.input.unpipe(this.#keyboard).pause();
    this.#readline.close();
    this.#leave(code);
  }

  #taken(line: string): void {
    const text = asTyped(line);
    this.#view.own(line, prompt, text);
    if (text.trim() === '') return;
    if (isQuit(text)) this.#end(0);
    else if (isNew(text)) this.#beginThread('A new thread begins.');
    else this.#say(text);
  }

  #say(text: string): void {
    if (/^\s*\/?help\s*$/i.test(text)) this.#view.note(help);
    if (Date.now() - this.#lastHeard > idleHours * 3_600_000 && this.#conversation.working.length === 0)
      this.#beginThread(`Nothing was said for ${idleHours} hours: a new thread begins.`);
    this.#lastHeard = Date.now();
    void this.#send(text);
  }

  async #send(text: string): Promise<void> {
    try {
      const unheard = whyUnheard(await this.#conversation.send(text));
      if (unheard) this.#view.note(unheard);
    } catch (error) {
      this.#view.problem(`not sent: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #beginThread(why: string): void {
    const { thread, working } = this.#conversation;
    const behind = working.length > 0 ? ` What goes on in the old one: npm run chat -- --thread ${thread}` : '';
    this.#conversation.begin();
    this.#view.note(why + behind);
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
      this.#view.hint = 'Ctrl-C once more, or Ctrl-D, leaves.';
    }
  }

  async #stop(): Promise<void> {
    if (this.#view.stopping) {
      this.#view.hint = 'It has been told to stop. Ctrl-D leaves.';
      return;
    }
    this.#view.stopping = true;
    try {
      await this.#conversation.stopWork();
    } catch (error) {
      this.#view.stopping = false;
      this.#view.problem(`not stopped: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** One candidate is written out; of several their common beginning, and they are shown above the line. */
  #complete(line: string): [string[], string] {
    const found = completionsOf(line, this.#core.completions, ownCommands);
    const common = commonBeginning(found);
    if (found.length > 1) this.#view.hint = found.map(neutraliseLine).join('   ');
    if (found.length === 1) return [[`${common} `], line];
    return [common.length > line.length ? [common] : [], line];
  }
}
