import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { defineSettings, type SettingsValues } from '../../core/config/setting.ts';
import { addressRange, commaList } from '../../core/config/setting-types.ts';
import { parseListenAddress } from './listen-address.ts';

/** The keys of the mail door (design §8). */
export const emailSettings = defineSettings({
  MAIL_DOMAIN: {
    type: z
      .string()
      .transform((value) => domainToASCII(value.trim()).toLowerCase())
      .refine(
        (value) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(value),
        'it must be a domain such as example.com: what stands behind the @',
      ),
    default: 'localhost',
    description: 'What stands behind the @ of the addresses that mail is taken for, and of those it is sent from.',
  },
  SMTP_LISTEN: {
    type: z
      .string()
      .transform((value) => value.toLowerCase())
      .refine(
        (value) => value === 'off' || parseListenAddress(value) !== undefined,
        'it must be off, a port, or an address and a port such as 0.0.0.0:25 or [::]:25',
      ),
    default: '127.0.0.1:2525',
    description: 'Where mail is taken by SMTP: an address and a port, or off.',
  },
  SMTP_URL: {
    type: z
      .string()
      .refine(
        (value) => /^smtps?:\/\/[^/]/i.test(value) && URL.canParse(value),
        'it must be a URL such as smtp://user:password@mail.example.com:587 (smtps:// for TLS from the first byte)',
      ),
    secret: true,
    description: 'The mail server that answers go out by. Without it they wait.',
  },
  MAIL_TRUSTED_RELAYS: {
    type: commaList(addressRange),
    default: [],
    description:
      'Addresses and ranges of mail servers that vouch for the senders of what they pass on: 10.0.0.25,10.1.0.0/16.',
  },
});

/** What those keys hold. */
export type EmailSettings = SettingsValues<typeof emailSettings>;
