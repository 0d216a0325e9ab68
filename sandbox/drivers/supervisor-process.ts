import type { ChildProcess } from 'node:child_process';

/** So much of what a sandbox wrote on stderr last is told with its end. */
const keptCharacters = 2000;

/** Resolves when a process has ended, with its exit code or signal and what it wrote on stderr last. */
export function endOf(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptCharacters);
  });
  return new Promise((resolve) =>
    child.once('close', (code, signal) => {
      const how = signal ? `it was ended by ${signal}` : `it ended with code ${code}`;
      resolve(said.trim() ? `${how}: ${said.trim()}` : how);
    }),
  );
}
