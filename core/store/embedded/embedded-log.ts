import type { Logger } from 'pino';

/** What the embedded server needs of a log. */
export type EmbeddedLog = Pick<Logger, 'info' | 'warn' | 'error'>;
