import { InvalidInputError } from '../errors.ts';

/** What at the head of a message is a command of the thread or a prompt: no Worker can be addressed by such a name. */
export const reservedNames: ReadonlySet<string> = new Set([
  'aside',
  'clip',
  'control',
  'desktop',
  'help',
  'hire',
  'log',
  'mute',
  'new',
  'role',
  'stop',
  'switchboard',
  'unmute',
  'wall',
  'who',
]);

const longest = 64;

/**
 * A Worker's name as it is stored: one line of single spaces. It picks the Worker at the head of a message.
 *
 * @throws InvalidInputError when it is empty, too long, holds characters that are no part of a name, or is a command.
 */
export function workerName(name: string): string {
  const trimmed = name.trim().replace(/\s+/g, ' ');
  if (trimmed === '' || trimmed.length > longest || !/^[\p{L}\p{N}][\p{L}\p{M}\p{N} .'’_-]*$/u.test(trimmed))
    throw new InvalidInputError(
      `${JSON.stringify(name)} cannot be a name: 1 to ${longest} letters, digits, spaces and . ' _ -, beginning with a letter or digit`,
    );
  if (reservedNames.has(trimmed.toLowerCase()))
    throw new InvalidInputError(`"${trimmed}" cannot be a name: it is a command. Choose another one`);
  return trimmed;
}
