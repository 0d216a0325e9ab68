import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Core } from '../../core/core.ts';
import { ForbiddenError, InvalidInputError, UnavailableError } from '../../core/errors.ts';
import { allowAddresses } from '../../core/http/address-policy.ts';
import { allowHosts } from '../../core/http/allow-hosts.ts';
import type { OrganisationId } from '../../core/store/ids.ts';
import { type Activity, activity as activitySchema, tenantOf } from './activity.ts';
import { type Outcome, receiveActivity, type TeamsPlatform } from './receive-activity.ts';
import type { ServiceUrlPolicy } from './service-url.ts';
import { checkServiceUrl, type TokenPolicy, type VerifiedToken, verifyToken } from './verify-token.ts';

/** Who is let in, and what is done with what came. */
export interface RoutePolicy {
  /** Undefined: the anonymous mode, in which only this machine is let in. */
  token: TokenPolicy | undefined;
  platform: TeamsPlatform;
  mayCall: ServiceUrlPolicy;
  /** The Organisation of a tenant; undefined: none of ours. */
  organisationOf(tenant: string | undefined): OrganisationId | undefined;
  /** Called once an activity has been taken; must not throw. */
  taken(activity: Activity, outcome: Outcome): void;
}

/** The routes, and what ends them. */
export interface MessagesRoute {
  routes: RequestHandler;
  /** Takes nothing more, and waits for what is being taken. */
  stop(): Promise<void>;
}

/** Activities are about a kilobyte; what people paste makes them larger. */
const largestActivity = '1mb';

/**
 * `POST /api/messages`: where Teams sends its activities. In this order: the token, then the body, then whether both are about the
 * same serviceUrl, whether that is one of Teams, whether the tenant is one of ours; only then is anything read or stored. Answers 200
 * when it is committed; 5xx, so that Teams sends it again, when it is not.
 */
export function messagesRoute(core: Core, policy: RoutePolicy): MessagesRoute {
  const inProgress = new Set<Promise<unknown>>();
  let stopped = false;
  const routes = Router();
  const body = express.json({ limit: largestActivity, type: ['application/json', 'application/*+json'] });
  if (!policy.token) routes.use(allowHosts([]), thisMachineOnly());

  routes.post('/', async (request, response) => {
    if (stopped) throw new UnavailableError('this process is ending: send it again');
    const work = take(request, response);
    inProgress.add(work);
    try {
      const status = await work;
      response.status(status).end();
    } finally {
      inProgress.delete(work);
    }
  });

  async function take(request: Request, response: Response): Promise<number> {
    const token = policy.token ? await verifyToken(request.headers.authorization, policy.token) : undefined;
    await new Promise<void>((resolve, reject) => {
      body(request, response, (error?: unknown) => (error ? reject(error) : resolve()));
    });
    const activity = readActivity(request, token, policy);
    // Only cards and message extensions need an answer in the response, and this bot has neither (Bot Framework: 501).
    if (activity.type === 'invoke') return 501;
    const organisation = policy.organisationOf(tenantOf(activity));
    if (organisation === undefined) {
      core.metrics.installationRefused('teams');
      core.log.debug({ tenant: tenantOf(activity) }, 'an activity of a tenant that is none of ours');
      return 200;
    }
    const outcome = await receiveActivity(core, { organisation, platform: policy.platform, activity });
    logOutcome(core, organisation, activity, outcome);
    policy.taken(activity, outcome);
    return 200;
  }

  return {
    routes,
    async stop() {
      stopped = true;
      await Promise.allSettled(inProgress);
    },
  };
}

/** Of a local tool: no proxy in front, so that nobody else gets in by one. */
function thisMachineOnly(): RequestHandler {
  const isThisMachine = allowAddresses([]);
  return (request, _response, next) => {
    next(isThisMachine(request) ? undefined : new ForbiddenError('TEAMS_ANONYMOUS is for tools on this machine only'));
  };
}

function readActivity(request: Request, token: VerifiedToken | undefined, policy: RoutePolicy): Activity {
  const read = activitySchema.safeParse(request.body);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new InvalidInputError(`this is no activity: ${issue?.path.join('.') || 'the body'}: ${issue?.message}`);
  }
  const activity = read.data;
  if (token) {
    checkServiceUrl(token, activity.serviceUrl);
    // The key that signs for Teams may sign for other channels too, where people choose their own ids.
    if (activity.channelId !== 'msteams')
      throw new ForbiddenError('this bot is for Teams only: its channelId is msteams');
  }
  if (!policy.mayCall(activity.serviceUrl)) throw new ForbiddenError('its serviceUrl is no host of Teams');
  return activity;
}

function logOutcome(core: Core, organisation: OrganisationId, activity: Activity, outcome: Outcome): void {
  const about = { organisation, type: activity.type, activity: activity.id };
  if (outcome.kind === 'ignored') core.log.debug({ ...about, why: outcome.why }, 'an activity was left aside');
  else if (outcome.kind === 'stored') {
    const { event, thread, duplicate } = outcome.received.appended;
    core.log.info(
      { ...about, event, thread },
      duplicate ? 'a message of Teams came again' : 'a message of Teams was stored',
    );
  } else core.log.info(about, `an activity of Teams: ${outcome.kind}`);
}
