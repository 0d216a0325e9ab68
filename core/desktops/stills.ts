import type { Core } from '../core.ts';
import { TooManyRequestsError } from '../errors.ts';
import { createRateLimit, type Rate } from '../http/rate-limit.ts';
import type { DesktopId, OrganisationId } from '../store/ids.ts';
import type { Still } from './channel.ts';
import { getDesktop } from './desktop.ts';

/** A still that somebody asks for. */
export interface StillRequest {
  format: 'jpeg' | 'png';
  quality: number;
  /** In pixels; undefined: as wide as the screen. */
  width?: number | undefined;
  /** The picture that they have already. */
  known?: { generation: number; serial: number } | undefined;
}

/** The link by which they ask, which has been opened. */
export interface StillAsker {
  organisation: OrganisationId;
  desktop: DesktopId;
  jti: string;
}

/** Stills of Desktops for people, by way of this process. */
export interface Stills {
  /** @throws TooManyRequestsError; NotFoundError; UnavailableError when the Desktop or its Host is not there */
  take(asker: StillAsker, request: StillRequest): Promise<Still & { generation: number }>;
}

/** Other limits than the real ones, for tests. */
export interface StillLimits {
  stillsOfLink?: Rate | undefined;
  stillsOfDesktop?: Rate | undefined;
}

/**
 * Stills that a link may have made, in each core process. A page without video asks for ten a second while the screen changes
 * (stream-viewer/picture/still-pace.ts), a wall for one, and everybody in a Thread has the same link: here is room for several who never
 * want the same picture at the same moment. One of 1920×1080 takes its Host 16 to 45 ms of a core, so that a link can keep about one busy.
 */
const ofLink: Rate = { burst: 80, perSecond: 40 };

/** All links of a Desktop together: whoever may have links made has no more by having many. */
const ofDesktop: Rate = { burst: 160, perSecond: 80 };

/** What a still counts that need not be made, because nothing has changed or the same picture is in the making. One that is made counts 1. */
const askedOnly = 0.1;

/**
 * Takes stills within limits. Who asks for the same picture of a Desktop while it is in the making gets that one, so that many watch for the price of
 * one; it may be as much older than the question as making it takes.
 */
export function createStills(
  core: Pick<Core, 'database' | 'desktops'>,
  { stillsOfLink = ofLink, stillsOfDesktop = ofDesktop }: StillLimits = {},
): Stills {
  const links = createRateLimit(stillsOfLink);
  const desktops = createRateLimit(stillsOfDesktop);
  /** By Desktop, generation and how it is to look. */
  const underWay = new Map<string, Promise<Still>>();

  function spend({ organisation, desktop, jti }: StillAsker): void {
    const wait = links.take(`${organisation} ${jti}`, 1);
    if (wait > 0) throw tooMany(wait);
    const waitForAll = desktops.take(`${organisation} ${desktop}`, 1);
    if (waitForAll === 0) return;
    links.giveBack(`${organisation} ${jti}`, 1);
    throw tooMany(waitForAll);
  }

  function askedForNothing({ organisation, desktop, jti }: StillAsker): void {
    links.giveBack(`${organisation} ${jti}`, 1 - askedOnly);
    desktops.giveBack(`${organisation} ${desktop}`, 1 - askedOnly);
  }

  function make(name: string, asker: StillAsker, ask: () => Promise<Still>): Promise<Still> {
    const making = ask();
    underWay.set(name, making);
    const done = () => {
      if (underWay.get(name) === making) underWay.delete(name);
    };
    making.then(({ data }) => {
      done();
      if (data === null) askedForNothing(asker);
    }, done);
    return making;
  }

  return {
    async take(asker, { format, quality, width, known }) {
      spend(asker);
      const { organisation, id, generation } = await getDesktop(core.database, asker.organisation, asker.desktop);
      const channel = await core.desktops.channels.to({ organisation, id, generation });
      // Serials of another generation mean nothing.
      const unless = known?.generation === generation ? known.serial : undefined;
      const name = `${organisation} ${id} ${generation} ${format} ${quality} ${width ?? ''}`;
      const ask = () =>
        channel.still({
          format,
          quality,
          ...(width === undefined ? {} : { width }),
          ...(unless === undefined ? {} : { unless }),
        });
      const joined = underWay.get(name);
      if (joined) askedForNothing(asker);
      let still = await (joined ?? make(name, asker, ask));
      if (still.data === null && still.serial !== unless) {
        // Whoever asked first had this picture already and was not sent it.
        spend(asker);
        still = await make(name, asker, ask);
      }
      return { ...still, generation, data: still.serial === unless ? null : still.data };
    },
  };
}

function tooMany(seconds: number): TooManyRequestsError {
  return new TooManyRequestsError(
    `too many stills are asked for by this link or of this desktop: ask again in ${seconds} s`,
    'too_many_requests',
    { retryAfterSeconds: seconds },
  );
}
