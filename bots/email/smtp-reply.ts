/** An error that smtp-server answers with its code and message. */
export class SmtpReply extends Error {
  /** 4xx: the client is to try again; 5xx: it is not. */
  readonly responseCode: number;

  constructor(responseCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SmtpReply';
    this.responseCode = responseCode;
  }
}

/** What an unexpected failure is answered with: nothing is stored, and the client keeps the mail and tries again (RFC 5321 §4.2). */
export function tryAgain(cause: unknown): SmtpReply {
  return cause instanceof SmtpReply
    ? cause
    : new SmtpReply(451, '4.3.0 This mail could not be stored now: try again later', { cause });
}
