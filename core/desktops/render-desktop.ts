import type { Core } from '../core.ts';
import type { DesktopCard } from '../delivery/door.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';
import { type Desktop, titleOf } from './desktop.ts';
import type { ShownDesktop } from './shown-desktop.ts';
import { makeLink } from './viewer-links.ts';
import { waitUntilRunning } from './wait-until-running.ts';
import { mayControl, mayWatch } from './who-may-watch.ts';

/** A Desktop as it is shown to somebody at this moment. Its links are signed for this once. */
export interface RenderedDesktop {
  /** Undefined: there is nothing to open. */
  card?: DesktopCard;
  /** How it is, where that is worth a sentence. */
  note: string;
  /** Its links in words, for places that show text only: the first is the one to open. */
  links: string[];
}

/** Whom it is rendered for, and how long that may take. */
export interface RenderOptions {
  /** The one person that it reaches, and nobody else; null: whoever reads the Thread. */
  reader: WorkerId | null;
  /** How long a Desktop that is starting is waited for, in milliseconds. */
  waitMs: number;
  /** Whether to take a still of the screen. */
  still: boolean;
}

/** The still of a card: at most so wide (core/delivery/door.ts), and not waited for longer. */
const still = { format: 'jpeg', quality: 70, width: 640 } as const;
const stillWithinMs = 4000;

const nothingToOpen = { links: [] };

/** Makes the card and the links of what an Event shows. */
export async function renderDesktop(
  core: Pick<Core, 'database' | 'waking' | 'desktops' | 'publicUrl' | 'log'>,
  organisation: OrganisationId,
  shown: ShownDesktop,
  options: RenderOptions,
): Promise<RenderedDesktop> {
  const reader = options.reader === shown.for ? options.reader : null;
  if (shown.id === null) return await renderWall(core, organisation, reader);
  const signal = AbortSignal.timeout(options.waitMs + stillWithinMs);
  const desktop = await waitUntilRunning(core, organisation, shown.id, { ms: options.waitMs, signal });
  if (desktop.desired !== 'running') return { note: howItEnded(desktop), ...nothingToOpen };
  // What is done for all Threads is seen by who manages the agent: such a link is always somebody's own, wherever it is asked for.
  const subject = desktop.thread === null ? options.reader : null;
  if (desktop.thread === null && !(subject && (await isAllowed(core, desktop, subject, mayWatch))))
    return {
      note: `${titleOf(desktop)} serves all its threads and is shown to those who manage it: they say \`wall\`, or \`control\` where nobody else reads along.`,
      ...nothingToOpen,
    };
  const control = options.reader !== null && (await isAllowed(core, desktop, options.reader, mayControl));
  const about = { organisation, desktop: desktop.id };
  const [watchUrl, controlUrl, picture] = await Promise.all([
    makeLink(core, { ...about, mode: 'watch', subject }),
    control ? makeLink(core, { ...about, mode: 'control', subject: options.reader }) : undefined,
    options.still && desktop.state === 'running' ? takeStill(core, desktop) : null,
  ]);
  return {
    card: {
      title: titleOf(desktop),
      watchUrl,
      ...(controlUrl ? { controlUrl } : {}),
      still: picture,
      offersControl: true,
    },
    note: desktop.state === 'running' ? '' : 'It is still starting: its page shows it as soon as it runs.',
    links: [
      ...(controlUrl ? [`Open and control it (for you alone; open it within 15 minutes):\n${controlUrl}`] : []),
      `Watch it (24 hours):\n${watchUrl}`,
      ...(controlUrl ? [] : ['To control it, say `control`.']),
    ],
  };
}

async function renderWall(
  core: Pick<Core, 'database' | 'desktops' | 'publicUrl'>,
  organisation: OrganisationId,
  reader: WorkerId | null,
): Promise<RenderedDesktop> {
  if (!reader) return { note: 'It is for who asked alone: say `wall` for your own.', ...nothingToOpen };
  const watchUrl = await makeLink(core, { organisation, desktop: null, mode: 'wall', subject: reader });
  return {
    card: { title: 'All desktops', watchUrl, still: null, offersControl: false },
    note: '',
    links: [`All desktops that you may see (for you alone, 24 hours):\n${watchUrl}`],
  };
}

async function isAllowed(
  core: Pick<Core, 'database'>,
  desktop: Desktop,
  reader: WorkerId,
  policy: typeof mayControl,
): Promise<boolean> {
  const rows = await core.database.query(
    `select 1 from desktop d where d.organisation = $1 and d.id = $2 and ${policy('d', '$3::text')}`,
    [desktop.organisation, desktop.id, reader],
  );
  return rows.length > 0;
}

function howItEnded({ state, detail }: Desktop): string {
  const why = detail ? `: ${detail}` : '';
  return `${state === 'failed' ? 'It could not be started' : 'It has stopped'}${why}. Say \`desktop\` to start it again.`;
}

/** A card without a picture is better than none. */
async function takeStill(core: Pick<Core, 'desktops' | 'log'>, desktop: Desktop): Promise<DesktopCard['still']> {
  try {
    const taken = await within(
      stillWithinMs,
      async () => await (await core.desktops.channels.to(desktop)).still(still),
    );
    return taken?.data ? { data: taken.data, width: taken.width, height: taken.height } : null;
  } catch (error) {
    core.log.warn({ err: error, desktop: desktop.id }, 'a still for a message could not be taken');
    return null;
  }
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T | null> {
  const { promise: tooLate, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, ms, null);
  try {
    return await Promise.race([work(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
