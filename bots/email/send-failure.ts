import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
  response?: string;
  command?: string;
  rejectedErrors?: SmtpError[];
}

/** The server wants a login, or another one: the mail is not to blame (RFC 4954 §6). */
const loginCodes = new Set([530, 534, 535, 538]);

/**
 * What a failed attempt to send means (design rule 6). Refused for good are a mail, its sender or its recipients (5xx after the
 * greeting); a server that is away, busy, or takes no login is waited for.
 */
export function sendFailure(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const { code, responseCode, response, command } = error as SmtpError;
  const said = response ? `: ${response}` : `: ${error.message}`;
  if (code === 'EAUTH' || code === 'ENOAUTH' || code === 'EOAUTH2' || loginCodes.has(responseCode ?? 0))
    return new OutsideUnavailable(`the mail server refuses the login in SMTP_URL${said}`, { cause: error });
  const aboutThisMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (aboutThisMail && (responseCode === undefined || isPermanent(responseCode)) && !isDeferred(error))
    return new PermanentFailure(`the mail server refuses it${said}`, { cause: error });
  const at = command && command !== 'CONN' ? ` at ${command}` : '';
  return new OutsideUnavailable(`the mail server of SMTP_URL cannot be used now${at}${said}`, { cause: error });
}

/** Every recipient was refused, but some only for now. */
function isDeferred(error: SmtpError): boolean {
  return (error.rejectedErrors ?? []).some((rejected) => rejected.responseCode && !isPermanent(rejected.responseCode));
}

/** 503 is about the dialogue, not about the mail (RFC 5321 §4.2.3). */
function isPermanent(responseCode: number): boolean {
  return responseCode >= 500 && responseCode !== 503;
}
