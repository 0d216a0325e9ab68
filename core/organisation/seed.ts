import { activationStreamOf } from '../dispatch/steps.ts';
import type { Database, Executor } from '../store/database.ts';
import type { OrganisationId, WorkerId } from '../store/ids.ts';
import { toolNames } from '../tools/tool-names.ts';
import { assistantRole, ownerRole } from './first-roles.ts';
import { grantTools } from './grants.ts';

/** The Organisation of a fresh installation. */
export const defaultOrganisation: OrganisationId = 'default';

/** The Worker that stands for whoever runs the installation, and the one AI Worker of a new Organisation. */
export const ownerWorker: WorkerId = 'w-owner';
export const assistantWorker: WorkerId = 'w-assistant';

/** What Assistant may do at first: talk and look, use a Desktop of its own (a sandbox), and change nothing of the organisation. */
export const assistantGrants = [
  'publish',
  'dm',
  'read_events',
  'list_streams',
  'get_stream',
  'stream_members',
  'list_workers',
  'get_worker',
  'desktop_screenshot',
  'desktop_click',
  'desktop_type',
  'desktop_key',
  'desktop_scroll',
  'desktop_open_url',
  'desktop_run',
  'desktop_read_file',
  'desktop_write_file',
  'share_desktop',
  'ask_for_help',
] as const;

/** The advisory lock under which one process at a time seeds: "seed" in ASCII. */
const seedLock = 0x73656564;

/**
 * Makes the default Organisation in a database that has none, and gives its owner the tools that this version has added. Every core
 * and every command calls it at its start; two at once make one Organisation.
 *
 * @param options `mailAlias`: the local part of Assistant's address
 * @returns true when there was none
 */
export async function seed(database: Database, options: { mailAlias?: string } = {}): Promise<boolean> {
  return await database.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [seedLock]);
    const [some] = await tx.query('select 1 from organisation limit 1');
    if (!some) await seedOrganisation(tx, defaultOrganisation, { mailAlias: options.mailAlias ?? 'assistant' });
    await grantOwnerEverything(tx, defaultOrganisation);
    return !some;
  });
}

/** Gives the owner every tool; nothing happens where there is no owner, or it was dismissed. */
export async function grantOwnerEverything(executor: Executor, organisation: OrganisationId): Promise<void> {
  const [owner] = await executor.query(
    `select 1 from worker where organisation = $1 and id = $2 and dismissed_at is null`,
    [organisation, ownerWorker],
  );
  if (owner) await grantTools(executor, organisation, ownerWorker, toolNames);
}

/**
 * A whole new Organisation: the owner with every Grant, Assistant in a Position under the owner's, a Stream for everybody and one
 * for mail, Assistant the default Worker of both.
 */
export async function seedOrganisation(
  tx: Executor,
  organisation: OrganisationId,
  options: { mailAlias: string },
): Promise<void> {
  await tx.query(`insert into organisation (id, name) values ($1, $2)`, [organisation, 'My organisation']);
  await tx.query(
    `insert into role (organisation, id, title, content) values ($1, 'r-owner', 'Owner', $2), ($1, 'r-assistant', 'Assistant', $3)`,
    [organisation, ownerRole, assistantRole],
  );
  await tx.query(
    `insert into "position" (organisation, id, title, role, reports_to)
     values ($1, 'p-owner', 'Owner', 'r-owner', null), ($1, 'p-assistant', 'Assistant', 'r-assistant', 'p-owner')`,
    [organisation],
  );
  await tx.query(
    `insert into worker (organisation, id, name, kind, position, identity, hired_by)
     values ($1, $2, 'Owner', 'human', 'p-owner', '', null),
            ($1, $3, 'Assistant', 'ai', 'p-assistant', 'You are Assistant, an AI colleague.', $2)`,
    [organisation, ownerWorker, assistantWorker],
  );
  await grantTools(tx, organisation, ownerWorker, toolNames);
  await grantTools(tx, organisation, assistantWorker, assistantGrants);
  await tx.query(
    `insert into stream (organisation, id, name, description, kind, default_worker, created_by)
     values ($1, 's-general', 'General', 'For everybody and everything.', 'channel', $3, $2),
            ($1, 's-mail', 'Mail', 'Mail to and from Assistant.', 'mail', $3, $2),
            ($1, $4, 'Assistant at work', 'What Assistant did in each activation, step by step.', 'activation', null, $2)`,
    [organisation, ownerWorker, assistantWorker, activationStreamOf(assistantWorker)],
  );
  await tx.query(
    `insert into binding (organisation, id, stream, kind, external_id) values ($1, 'b-mail', 's-mail', 'mail', $2)`,
    [organisation, options.mailAlias],
  );
  await tx.query(
    `insert into subscription (organisation, worker, stream, mode)
     values ($1, $2, 's-general', 'all'), ($1, $2, $4, 'all'), ($1, $3, 's-general', 'mentions'), ($1, $3, 's-mail', 'mentions')`,
    [organisation, ownerWorker, assistantWorker, activationStreamOf(assistantWorker)],
  );
}
