import type { Activity, BotFrameworkAdapter, ConversationParameters, TurnContext } from 'botbuilder';
import { OutsideUnavailable } from '../../core/dispatch/failure.ts';
import { type CallConnector, connectorCaller } from './call-connector.ts';
import type { Cloud } from './clouds.ts';
import type { ServiceUrlPolicy } from './service-url.ts';
import type { TeamsMessage } from './teams-message.ts';

/*
 * The one file that knows the Bot Framework SDK (`botbuilder`, archived by its vendor). It signs in and speaks the Connector's
 * protocol; what comes in is verified and read without it (verify-token.ts, activity.ts).
 */

/** A conversation of Teams, and who speaks in it. */
export interface ConversationAddress {
  serviceUrl: string;
  /** The conversation's id, opaque; of a channel's thread the whole of it. */
  conversation: string;
  bot: { id: string; name?: string | undefined };
  tenant?: string | undefined;
}

/** What can be done in a conversation. Throws what core/dispatch/failure.ts understands. */
export interface BotFramework {
  /** Posts a message. Returns the platform's id of it. */
  post(to: ConversationAddress, message: TeamsMessage): Promise<string>;
  /** Posts a message that begins a thread of a channel. Returns the thread's conversation as well. */
  begin(channel: ConversationAddress, message: TeamsMessage): Promise<{ conversation: string; message: string }>;
  edit(to: ConversationAddress, id: string, message: TeamsMessage): Promise<void>;
  /**
   * The personal chat with somebody whom the bot has met elsewhere: the one there is, or a new one. Returns its conversation. Teams
   * refuses (403) for a person for whom the app is not installed.
   *
   * @param person an Entra object id, or Teams' own id of a person
   */
  openPersonalChat(from: ConversationAddress, person: string): Promise<string>;
  /** Shows for a few seconds that somebody is about to answer. */
  typing(to: ConversationAddress): Promise<void>;
}

/** How the bot signs in; without it nothing is signed, which the Connector of Teams refuses and local tools take. */
export interface BotCredentials {
  appId: string;
  /** A UserAssignedMSI has none. */
  password: string | undefined;
  tenant: string | undefined;
  type: 'MultiTenant' | 'SingleTenant' | 'UserAssignedMSI';
}

type ConnectorClient = ReturnType<BotFrameworkAdapter['createConnectorClient']>;

/** Signing in has no deadline of its own in the SDK. */
const deadlineMs = 30_000;
/** When signing in is refused a person has to mend something: a secret has expired. */
const retrySignInSeconds = 60;

/** Loads the SDK (about 0.4 s and 55 MB) and opens its CloudAdapter. */
export async function openBotFramework(options: {
  credentials: BotCredentials | undefined;
  cloud: Cloud;
  mayCall: ServiceUrlPolicy;
}): Promise<BotFramework> {
  const { CloudAdapter, ConfigurationBotFrameworkAuthentication, ConfigurationServiceClientCredentialFactory } =
    await import('botbuilder');
  const { credentials, cloud } = options;
  const authentication = new ConfigurationBotFrameworkAuthentication(
    { ...cloud.sdk },
    new ConfigurationServiceClientCredentialFactory(credentials ? sdkCredentials(credentials) : {}),
    undefined,
    undefined,
    { httpClient: httpClient(connectorCaller({ mayCall: options.mayCall, signedIn: credentials !== undefined })) },
  );
  const adapter = new CloudAdapter(authentication);

  /** Runs something with a client for the conversation's service, signed in as the bot. */
  async function within<T>(to: ConversationAddress, work: (client: ConnectorClient) => Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    const reference = {
      channelId: 'msteams',
      serviceUrl: to.serviceUrl,
      conversation: { id: to.conversation, isGroup: false, conversationType: '', name: '', tenantId: to.tenant },
      bot: { id: to.bot.id, name: to.bot.name ?? '' },
    };
    const turn = async (context: TurnContext) => {
      const client: ConnectorClient = context.turnState.get(adapter.ConnectorClientKey);
      result = { value: await work(client) };
    };
    await withDeadline(adapter.continueConversationAsync(credentials?.appId ?? '', reference, turn));
    if (!result) throw new Error('the Bot Framework SDK did not run the turn');
    return result.value;
  }

  const from = (to: ConversationAddress) => ({ id: to.bot.id, name: to.bot.name ?? '' });
  const activityOf = (to: ConversationAddress, message: TeamsMessage) => ({
    type: 'message',
    from: from(to),
    ...('text' in message
      ? { textFormat: 'markdown', text: message.text }
      : {
          summary: message.summary,
          attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: message.card }],
        }),
  });

  return {
    async post(to, message) {
      const { id } = await within(to, (client) =>
        client.conversations.sendToConversation(to.conversation, activityOf(to, message)),
      );
      return id;
    },
    async begin(channel, message) {
      const begun = await within(channel, (client) =>
        client.conversations.createConversation({
          isGroup: true,
          bot: from(channel),
          channelData: { channel: { id: channel.conversation } },
          ...(channel.tenant === undefined ? {} : { tenantId: channel.tenant }),
          activity: activityOf(channel, message) as Activity,
        } as ConversationParameters),
      );
      return { conversation: begun.id, message: begun.activityId };
    },
    async edit(to, id, message) {
      await within(to, (client) =>
        client.conversations.updateActivity(to.conversation, id, { ...activityOf(to, message), id }),
      );
    },
    async openPersonalChat(to, person) {
      const { id } = await within(to, (client) =>
        client.conversations.createConversation({
          isGroup: false,
          bot: from(to),
          members: [{ id: person }],
          ...(to.tenant === undefined ? {} : { tenantId: to.tenant, channelData: { tenant: { id: to.tenant } } }),
        } as ConversationParameters),
      );
      return id;
    },
    async typing(to) {
      await within(to, (client) =>
        client.conversations.sendToConversation(to.conversation, { type: 'typing', from: from(to) }),
      );
    },
  };
}

function sdkCredentials({ appId, password, tenant, type }: BotCredentials): Record<string, string> {
  return {
    MicrosoftAppId: appId,
    MicrosoftAppType: type,
    ...(password === undefined ? {} : { MicrosoftAppPassword: password }),
    ...(tenant === undefined ? {} : { MicrosoftAppTenantId: tenant }),
  };
}

type SdkAuthentication = ConstructorParameters<typeof import('botbuilder').ConfigurationBotFrameworkAuthentication>;
type SdkHttpClient = NonNullable<NonNullable<SdkAuthentication[4]>['httpClient']>;
type SdkRequest = Parameters<SdkHttpClient['sendRequest']>[0];

/** Our own way out under the SDK's client; its headers object is handed back with the answer's headers in it. */
function httpClient(call: CallConnector): SdkHttpClient {
  return {
    async sendRequest(request: SdkRequest) {
      const { status, headers, body } = await call({
        url: request.url,
        method: request.method,
        headers: requestHeaders(request),
        body: typeof request.body === 'string' ? request.body : undefined,
      });
      const answered = request.headers.clone();
      for (const name of answered.headerNames()) answered.remove(name);
      for (const [name, value] of Object.entries(headers)) answered.set(name, value);
      return { request, status, headers: answered, bodyAsText: body };
    },
  };
}

/** fetch() counts and unpacks by itself. */
const setByFetch = new Set(['content-length', 'accept-encoding', 'connection', 'host']);

function requestHeaders(request: SdkRequest): Record<string, string> {
  const headers = request.headers.headersArray().map(({ name, value }) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(headers.filter(([name]) => !setByFetch.has(name)));
}

async function withDeadline(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new OutsideUnavailable('Teams did not answer in time')), deadlineMs);
  });
  try {
    await Promise.race([work, late]);
  } catch (error) {
    throw isSignInFailure(error) ? signInFailure(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** The libraries that sign in (MSAL for a secret, @azure/identity for a managed identity) throw errors of their own. */
function isSignInFailure(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return ('errorCode' in error && 'subError' in error) || /^(Aggregate)?Authentication|^Credential/.test(error.name);
}

function signInFailure(cause: Error): OutsideUnavailable {
  const reason = 'errorCode' in cause ? String(cause.errorCode) : cause.name;
  return new OutsideUnavailable(
    `the bot cannot sign in to Microsoft (${reason}): see to MicrosoftAppPassword, MicrosoftAppTenantId and MicrosoftAppType`,
    { cause, retryAfterSeconds: retrySignInSeconds },
  );
}
