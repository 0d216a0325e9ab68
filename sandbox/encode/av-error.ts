/** FFmpeg refused something. `code`: its negative number. */
export class AvError extends Error {
  readonly code: number;

  constructor(doing: string, code: number) {
    super(`FFmpeg failed while ${doing} (${code})`);
    this.name = 'AvError';
    this.code = code;
  }

  /** @throws AvError when `code` is negative, which is how FFmpeg says that it failed */
  static check(code: number, doing: string): void {
    if (code < 0) throw new AvError(doing, code);
  }
}
