import { z } from 'zod';
import { idFromName } from '../store/ids.ts';
import { createStream as create } from '../streams/streams.ts';
import { exactly, maybe, objectOr, oneOf, text } from './tolerant.ts';
import { defineTool } from './tool.ts';

const kind = oneOf('transport kind', ['mail', 'terminal']);
const alias = z
  .string()
  .trim()
  .toLowerCase()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    'must be the part of an address before the @: lower-case letters, digits, - and _',
  );

const transport = objectOr(
  exactly({ kind, config: maybe(exactly({ alias: maybe(alias) })).describe('for mail: the alias') }),
  kind,
  (word) => ({ kind: word }),
);

/** Makes a Stream. */
export const createStream = defineTool({
  name: 'create_stream',
  description:
    'Make a stream: a named channel of events that workers subscribe to. You are subscribed to it. With the transport "mail" it gets a mail alias of its own, and what is written in it is readable by the participants of each thread only.',
  input: exactly({
    name: text(100),
    description: maybe(z.string().max(2000)),
    transport: maybe(transport).describe(
      'how it reaches the outside: {"kind":"mail","config":{"alias":"sales"}}, or just "mail" for an alias made from the name; "terminal" or nothing for none',
    ),
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: true,
  readersNeedGrant: false,
  async run({ core, organisation, worker }, { name, description = '', transport }) {
    const stream = await create(core.database, organisation, {
      name,
      description,
      transport:
        transport?.kind === 'mail'
          ? { kind: 'mail', config: { alias: transport.config?.alias ?? aliasOf(name) } }
          : undefined,
      createdBy: worker,
    });
    return { stream };
  },
});

/** `Customer mail` becomes `customer-mail`. */
function aliasOf(name: string): string {
  return idFromName('s', name).slice('s-'.length);
}
