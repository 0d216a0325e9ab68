import type { Core } from '../../../core/core.ts';
import { mayBeShown } from '../../../core/runtimes/no-reply.ts';
import type { ThreadId } from '../../../core/store/ids.ts';
import { patchBetween } from '../text-patch.ts';
import type { Frame } from '../wire.ts';
import type { Caller } from './authenticate.ts';
import { readDead, readEventsBetween, readThreadNow } from './read-thread.ts';
import { showDesktop } from './show-desktop.ts';
import { showFiles } from './show-files.ts';

/** Where the frames go. */
export interface FrameSink {
  send(frame: Frame): void;
  /** The reader has not taken what was sent: nothing more now; call `look` of the watch when it has. */
  isBehind(): boolean;
  end(): void;
}

/** Somebody watching a Thread. */
export interface Watch {
  look(): void;
  stop(): void;
}

/** An announcement may be lost: look at least this often. */
const pollMs = 1000;
/** However much is going on, look no more often than this. */
const restMs = 50;

/**
 * Sends what is said in a Thread after `since`, the replies as they grow, and who works, until it is stopped or the person may not
 * read here any more. A reply's text comes from this process's memory when its Activation runs here, else from the database: it
 * does not matter which core is asked.
 */
export function watchThread(core: Core, caller: Caller, thread: ThreadId, since: number, sink: FrameSink): Watch {
  /** The text that the reader has, by open Activation. */
  const shown = new Map<string, string>();
  let position = since;
  let lastWork = '';
  let looking = false;
  let again = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    again = true;
    if (!looking) void lookUntilQuiet();
  }

  async function lookUntilQuiet(): Promise<void> {
    looking = true;
    clearTimeout(timer);
    try {
      while (again && !stopped) {
        again = false;
        await lookOnce();
        await new Promise((resolve) => setTimeout(resolve, restMs));
      }
    } catch (error) {
      // the database is away: the next look finds what happened meanwhile
      core.log.debug({ err: error, thread }, 'a thread could not be watched; looking again');
    } finally {
      looking = false;
      if (!stopped) timer = setTimeout(look, pollMs);
    }
  }

  async function lookOnce(): Promise<void> {
    if (sink.isBehind()) return;
    const local = [...shown.keys()].filter((activation) => core.drafts.get(activation) !== undefined);
    const now = await readThreadNow(core.database, caller, thread, local);
    if (stopped) return;
    if (!now.mayRead) {
      stop();
      sink.end();
      return;
    }
    for await (const read of readEventsBetween(core.database, caller, thread, position, now.upTo)) {
      const { extra, attachments, ...event } = read;
      const desktop = await showDesktop(core, caller, read);
      const files = await showFiles(core, caller, thread, read);
      if (stopped) return;
      sink.send({ ...event, ...(desktop === undefined ? {} : { desktop }), ...(files === undefined ? {} : { files }) });
      position = event.position;
      if (event.activation) shown.delete(event.activation);
      if (sink.isBehind()) return;
    }
    const dead = now.working.length === 0 ? await readDead(core.database, caller, thread) : [];
    if (stopped) return;
    const work: Frame = { kind: 'work', upTo: now.upTo, working: now.working, dead };
    if (JSON.stringify(work) !== lastWork) sink.send(work);
    lastWork = JSON.stringify(work);

    const open = new Set(now.working.flatMap(({ activation }) => activation ?? []));
    for (const activation of shown.keys()) if (!open.has(activation)) shown.delete(activation);
    const stored = new Map(now.drafts.map((draft) => [draft.activation, draft.text]));
    for (const activation of open) {
      if (!shown.has(activation)) shown.set(activation, '');
      const text = core.drafts.get(activation) ?? stored.get(activation);
      if (text !== undefined) show(activation, text);
    }
  }

  function show(activation: string, text: string): void {
    const before = shown.get(activation) ?? '';
    const visible = mayBeShown(text) ? text : '';
    if (visible === before || sink.isBehind()) return;
    sink.send({ kind: 'draft', activation, ...patchBetween(before, visible) });
    shown.set(activation, visible);
  }

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
    unlisten();
    unwatch();
  }

  const unlisten = core.waking.listen(look);
  // An Activation that no look has seen to be this Thread's, and in this organisation, is not shown on the word of its name.
  const unwatch = core.drafts.watch(thread, (activation, text) =>
    shown.has(activation) ? show(activation, text) : look(),
  );
  look();
  return { look, stop };
}
