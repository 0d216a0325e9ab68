import type { Core } from '../../core/core.ts';
import type { Bot, BotContext, RunningBot } from '../../core/delivery/bot.ts';
import { ConfigurationError } from '../../core/errors.ts';
import { addInstallation, findInstallation } from '../../core/organisation/installations.ts';
import { defaultOrganisation } from '../../core/organisation/seed.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import { addressRanges } from './address-ranges.ts';
import { formatListenAddress, parseListenAddress } from './listen-address.ts';
import { MailDoor } from './mail-door.ts';
import { type EmailSettings, emailSettings } from './mail-settings.ts';
import { type SmtpListener, startSmtpListener } from './smtp-listener.ts';

/** Mail: an SMTP listener for what comes in, SMTP to a mail server for what goes out. */
export const email: Bot<typeof emailSettings> = {
  kind: 'mail',
  settings: emailSettings,
  door: createDoor,
  start,
};

/** The way out, before there is a core. `email.start` connects the one that the core holds. */
export function createDoor(settings: Pick<EmailSettings, 'MAIL_DOMAIN' | 'SMTP_URL'>): MailDoor {
  return new MailDoor(settings);
}

/**
 * @throws ConfigurationError when a configured SMTP_LISTEN can't be listened on; for the default it is a warning, because most who
 * start this have no use for it.
 */
async function start(
  core: Core,
  settings: EmailSettings,
  context: Pick<BotContext, 'configured'>,
): Promise<RunningBot> {
  const door = core.doors.get('mail');
  if (door instanceof MailDoor) door.connect(core);
  const organisation = await organisationOf(core, settings.MAIL_DOMAIN);
  const warnings: string[] = [];
  const listener = await listen(core, settings, context.configured.has('SMTP_LISTEN'), warnings);
  if (settings.SMTP_URL === undefined)
    warnings.push('SMTP_URL is not set: mail cannot be sent, and answers to mail wait for it for 24 hours.');
  return {
    describe: [await describe(core, settings, organisation, listener)],
    warnings,
    stop: async () => await listener?.stop(),
  };
}

/** MAIL_DOMAIN is the default Organisation's, unless somebody gave it to another. */
async function organisationOf(core: Core, domain: string): Promise<OrganisationId> {
  const known = await findInstallation(core.database, { kind: 'mail', externalId: domain });
  if (known) return known;
  await addInstallation(core.database, defaultOrganisation, { kind: 'mail', externalId: domain });
  return defaultOrganisation;
}

async function listen(
  core: Core,
  settings: EmailSettings,
  configured: boolean,
  warnings: string[],
): Promise<SmtpListener | undefined> {
  const address = settings.SMTP_LISTEN === 'off' ? undefined : parseListenAddress(settings.SMTP_LISTEN);
  if (!address) return undefined;
  try {
    return await startSmtpListener(core, {
      listen: address,
      name: settings.MAIL_DOMAIN,
      trustedRelays: addressRanges(settings.MAIL_TRUSTED_RELAYS),
    });
  } catch (error) {
    const problem = `${formatListenAddress(address)} ${whyNot(error)}`;
    if (configured)
      throw new ConfigurationError(
        `SMTP_LISTEN: ${problem}. Set it to another address and port, or to off`,
        'configuration',
        { cause: error },
      );
    warnings.push(`No mail is taken: ${problem}. SMTP_LISTEN sets another address and port, or off.`);
    return undefined;
  }
}

function whyNot(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'is in use by another program';
  if (code === 'EACCES') return 'may not be listened on by this user (ports below 1024 are for root)';
  if (code === 'EADDRNOTAVAIL') return 'is no address of this machine';
  return `cannot be listened on (${error instanceof Error ? error.message : String(error)})`;
}

async function describe(
  core: Core,
  settings: EmailSettings,
  organisation: OrganisationId,
  listener: SmtpListener | undefined,
): Promise<string> {
  if (!listener) return 'Mail       closed';
  const aliases = await core.database.query<{ alias: string }>(
    `select external_id as alias from binding where organisation = $1 and kind = 'mail' order by created_at, id limit 4`,
    [organisation],
  );
  const addresses = aliases.slice(0, 3).map(({ alias }) => `${alias}@${settings.MAIL_DOMAIN}`);
  const more = aliases.length > addresses.length ? ', …' : '';
  return `Mail       ${addresses.join(', ') || settings.MAIL_DOMAIN}${more}   (by SMTP to ${formatListenAddress(listener.address)})`;
}
