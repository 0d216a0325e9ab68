import { titleOf } from '../desktops/desktop.ts';
import { makeLink, openControlSeconds } from '../desktops/viewer-links.ts';
import { mayControl } from '../desktops/who-may-watch.ts';
import { ForbiddenError, InvalidInputError } from '../errors.ts';
import { exactly } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { runningDesktop, whichDesktop } from './use-desktop.ts';

/** Gives a person a link of their own. It is also the Grant by which people may take over (`control` in a chat). */
export const controlDesktop = defineTool({
  name: 'control_desktop',
  description:
    'For people: get a link of your own by which you take over a desktop with mouse and keyboard. Open it within 15 minutes and give it to nobody.',
  input: exactly(whichDesktop),
  idempotent: true,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { desktop: reference }) {
    const { core, organisation, worker, activation } = context;
    if (activation)
      throw new InvalidInputError(
        'a link to control is for one person alone and cannot go through an agent: people say `control` in the thread',
      );
    const desktop = await runningDesktop(context, reference);
    const [allowed] = await core.database.query(
      `select 1 from desktop d join worker w on w.organisation = d.organisation and w.id = $3 and w.kind = 'human'
       where d.organisation = $1 and d.id = $2 and ${mayControl('d', '$3::text')}`,
      [organisation, desktop.id, worker],
    );
    if (!allowed)
      throw new ForbiddenError(`you may not control ${titleOf(desktop)}: that is for people who may watch it`);
    const url = await makeLink(core, { organisation, desktop: desktop.id, mode: 'control', subject: worker });
    return { desktop: desktop.id, url, openWithinMinutes: openControlSeconds / 60 };
  },
});
