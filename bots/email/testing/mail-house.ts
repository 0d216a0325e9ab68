import { createTransport } from 'nodemailer';
import type { Core } from '../../../core/core.ts';
import type { Door } from '../../../core/delivery/door.ts';
import { coreForTests, furnish } from '../../../core/dispatch/testing/core-for-tests.ts';
import { addInstallation } from '../../../core/organisation/installations.ts';
import type { Runtime } from '../../../core/runtimes/runtime.ts';
import { testDatabase } from '../../../core/store/testing/test-database.ts';
import type { Event } from '../../../core/streams/message.ts';
import { eventColumns } from '../../../core/streams/message.ts';
import { addressRanges } from '../address-ranges.ts';
import { type SmtpListener, startSmtpListener } from '../smtp-listener.ts';

/** The organisation of {@link openMailHouse}; its mail domain is `localhost`, its alias `assistant`. */
export const organisation = 'acme';

/** A core with a mail door on a database of a test's own. */
export interface MailHouse {
  core: Core;
  /** Of the database. */
  url: string;
  port: number;
  listener: SmtpListener;
  /** Every Event of the mail Stream, in order. */
  events(): Promise<Event[]>;
  /** Who was woken so far: Event and Worker. */
  triggers(): Promise<{ event: string; worker: string }[]>;
  close(): Promise<void>;
}

/** How a house is opened. Its peer is always 127.0.0.1: `trusted` makes that one a relay that vouches for senders. */
export interface MailHouseOptions {
  trusted?: boolean;
  runtime?: Runtime;
  doors?: readonly Door[];
}

/** Opens a house with two people, one AI Worker `w-assistant` behind the alias, and an SMTP listener on a free port. */
export async function openMailHouse(options: MailHouseOptions = {}): Promise<MailHouse> {
  const test = await testDatabase();
  const { core, close } = await coreForTests({ url: test.url, ...options });
  await furnish(core, organisation, [
    { id: 'w-ada', kind: 'human' },
    { id: 'w-assistant', kind: 'ai' },
  ]);
  await core.database.query(`update stream set default_worker = 'w-assistant' where id = 's-mail'`);
  await addInstallation(core.database, organisation, { kind: 'mail', externalId: 'localhost' });
  const listener = await startSmtpListener(core, {
    listen: { host: '127.0.0.1', port: 0 },
    name: 'localhost',
    trustedRelays: addressRanges(options.trusted ? ['127.0.0.1'] : []),
  });
  return {
    core,
    url: test.url,
    listener,
    port: listener.address.port,
    events: () =>
      core.database.query<Event>(
        `select ${eventColumns} from event e where organisation = $1 and stream = 's-mail' order by position`,
        [organisation],
      ),
    triggers: () => core.database.query('select event, worker from trigger where organisation = $1', [organisation]),
    close: async () => {
      await listener.stop();
      await close();
      await test.close();
    },
  };
}

/** Sends the very bytes of a mail; lines may end in LF. Gives the server's last answer. */
export async function sendRaw(
  port: number,
  mail: { raw: string | Buffer; from?: string; to?: string | string[] },
): Promise<{ code: number; text: string }> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
  const raw = typeof mail.raw === 'string' ? mail.raw.replace(/\r?\n/g, '\r\n') : mail.raw;
  try {
    const envelope = { from: mail.from ?? 'sam@example.com', to: mail.to ?? 'assistant@localhost' };
    const sent = await transport.sendMail({ raw, envelope });
    return { code: Number(sent.response.slice(0, 3)), text: sent.response };
  } catch (error) {
    const { responseCode, response } = error as { responseCode?: number; response?: string };
    if (responseCode === undefined) throw error;
    return { code: responseCode, text: response ?? '' };
  } finally {
    transport.close();
  }
}
