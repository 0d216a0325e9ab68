import { createTransport } from 'nodemailer';

/** A mail as a person's mail program would send it. Message-IDs are given with their angle brackets. */
export type MailToSend = {
  from: string;
  to: string | string[];
  subject: string;
  text: string;
  /** Default: a new one. */
  messageId?: string;
  inReplyTo?: string;
  references?: string[];
  headers?: Record<string, string>;
  /** The envelope's sender if it differs from `from`; an empty string is the null sender of automatic mail. */
  envelopeFrom?: string;
};

/** What the server said last: its code, its whole line, and the Message-ID that the mail went out with. */
export type SmtpAnswer = { code: number; text: string; messageId: string };

/** Sends mails one after the other over connections that it keeps. */
export type MailConnection = {
  /** Throws only when the server did not answer at all (refused, cut, silent): then whether it took the mail is unknown. */
  send(mail: MailToSend): Promise<SmtpAnswer>;
  close(): void;
};

/** Opens a connection to an SMTP server on 127.0.0.1, at the first mail; it is opened again after it was lost. */
export function connectMail(port: number): MailConnection {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    ignoreTLS: true,
    pool: true,
    maxConnections: 1,
    maxMessages: Number.POSITIVE_INFINITY,
    // Sending again is for the caller to decide, who counts each answer.
    maxRequeues: 0,
  });
  return {
    send: async (mail) => {
      const { envelopeFrom, ...content } = mail;
      const messageId = mail.messageId ?? newMessageId();
      const sender = envelopeFrom === '' ? (false as const) : (envelopeFrom ?? mail.from);
      const envelope = { from: sender, to: mail.to };
      try {
        const sent = await transport.sendMail({ ...content, messageId, envelope, disableFileAccess: true });
        return { code: Number(sent.response.slice(0, 3)), text: sent.response, messageId };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return { code: error.responseCode, text: error.response ?? error.message, messageId };
      }
    },
    close: () => transport.close(),
  };
}

/**
 * Sends one mail to an SMTP server on 127.0.0.1 and tells what it said; a 4xx or 5xx is an answer like any other. Throws
 * when the server did not answer at all.
 */
export async function sendMail({ port, ...mail }: MailToSend & { port: number }): Promise<SmtpAnswer> {
  const connection = connectMail(port);
  try {
    return await connection.send(mail);
  } finally {
    connection.close();
  }
}

/** A Message-ID that nobody has used, angle brackets included. */
export function newMessageId(): string {
  return `<${crypto.randomUUID()}@client.localhost>`;
}

function isRefusal(error: unknown): error is Error & { responseCode: number; response?: string } {
  return error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number';
}
