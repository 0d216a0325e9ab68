/** How parts of the chat look: SGR sequences, or nothing at all. */
export interface Style {
  /** The name of somebody else. */
  name(text: string): string;
  /** The person's own prompt. */
  own(text: string): string;
  /** What is neither said by anybody nor to be kept. */
  quiet(text: string): string;
  problem(text: string): string;
}

/** Colours, unless NO_COLOR is set (no-color.org: to anything but an empty text). */
export function styleFor(environment: NodeJS.ProcessEnv): Style {
  if (environment.NO_COLOR) return { name: same, own: same, quiet: same, problem: same };
  return {
    name: sgr('1;36', '22;39'),
    own: sgr('1;32', '22;39'),
    quiet: sgr('2', '22'),
    problem: sgr('33', '39'),
  };
}

function same(text: string): string {
  return text;
}

function sgr(on: string, off: string): (text: string) => string {
  return (text) => (text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`);
}
