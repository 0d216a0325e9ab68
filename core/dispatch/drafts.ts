import type { Drafts } from '../core.ts';

/** Those who watch a reply grow are told at most this often (design §4, streaming replies). */
const watchMs = 50;

interface Draft {
  thread: string;
  text: string;
}

/** The replies being written in this process. */
export function createDrafts(): Drafts {
  const drafts = new Map<string, Draft>();
  const watchers = new Map<string, Set<(activation: string, text: string) => void>>();
  const timers = new Map<string, NodeJS.Timeout>();

  function tell(activation: string): void {
    timers.delete(activation);
    const draft = drafts.get(activation);
    if (!draft) return;
    for (const watcher of watchers.get(draft.thread) ?? []) watcher(activation, draft.text);
  }

  return {
    get: (activation) => drafts.get(activation)?.text,
    set(activation, thread, text) {
      drafts.set(activation, { thread, text });
      if (watchers.has(thread) && !timers.has(activation))
        timers.set(
          activation,
          setTimeout(() => tell(activation), watchMs),
        );
    },
    end(activation) {
      clearTimeout(timers.get(activation));
      tell(activation);
      drafts.delete(activation);
    },
    watch(thread, listener) {
      const set = watchers.get(thread) ?? new Set();
      set.add(listener);
      watchers.set(thread, set);
      for (const [activation, draft] of drafts) if (draft.thread === thread) listener(activation, draft.text);
      return () => {
        set.delete(listener);
        if (set.size === 0) watchers.delete(thread);
      };
    },
  };
}
