import { createTransport } from 'nodemailer';
import type { Core } from '../../core/core.ts';
import type { Delivered, Door, OutgoingDelivery } from '../../core/delivery/door.ts';
import { OutsideUnavailable, PermanentFailure } from '../../core/dispatch/failure.ts';
import { composeMail } from './compose-mail.ts';
import { findRoute } from './find-route.ts';
import type { EmailSettings } from './mail-settings.ts';
import { sendFailure } from './send-failure.ts';

type Transport = ReturnType<typeof createTransport>;

/**
 * The way out by mail. Made before the core, which it needs for finding whom a mail answers: it is connected when the bot starts,
 * and what should go out before that waits.
 */
export class MailDoor implements Door {
  readonly kind = 'mail';
  /** A mail that was sent stays as it is. */
  readonly drafts = false;
  readonly #domain: string;
  readonly #transport: Transport | undefined;
  #core: Pick<Core, 'database' | 'log'> | undefined;

  constructor(settings: Pick<EmailSettings, 'MAIL_DOMAIN' | 'SMTP_URL'>) {
    this.#domain = settings.MAIL_DOMAIN;
    this.#transport =
      settings.SMTP_URL === undefined ? undefined : smtpTransport(settings.SMTP_URL, settings.MAIL_DOMAIN);
  }

  connect(core: Pick<Core, 'database' | 'log'>): void {
    this.#core = core;
  }

  async deliver(delivery: OutgoingDelivery): Promise<Delivered> {
    const { event } = delivery;
    if (!event) throw new PermanentFailure('a mail cannot be shown while it is written');
    if (!this.#core) throw new OutsideUnavailable('the mail door is not open yet', { retryAfterSeconds: 1 });
    if (!this.#transport)
      throw new OutsideUnavailable('SMTP_URL is not set: mail waits until it is, for 24 hours', {
        retryAfterSeconds: 60,
      });
    const route = await findRoute(this.#core.database, delivery, event, this.#domain);
    if (route.to.length === 0)
      throw new PermanentFailure('nobody to send it to: no mail came in this thread, and `to` names no address');
    const mail = composeMail(delivery, event, route);
    const sent = await this.#transport.sendMail(mail).catch((error: unknown) => {
      throw sendFailure(error);
    });
    if (sent.rejected.length > 0)
      this.#core.log.warn(
        { delivery: delivery.id, event: event.id, refused: sent.rejected.length, accepted: sent.accepted.length },
        'the mail server refused some of the recipients',
      );
    const externalId = mail.messageId ?? sent.messageId;
    // Some servers exchange the Message-ID for one of their own: answers name that one.
    return { externalId, externalIds: sent.serverMessageId ? [sent.serverMessageId] : [] };
  }
}

function smtpTransport(url: string, name: string) {
  return createTransport({
    url,
    name,
    connectionTimeout: 20_000,
    greetingTimeout: 20_000,
    dnsTimeout: 20_000,
    // A server may look at a mail for long before it takes it (RFC 5321 §4.5.3.2.6 asks for ten minutes). Who gives up too
    // early sends it twice.
    socketTimeout: 120_000,
    logger: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
