import { count, exactly, maybe, text } from './tolerant.ts';
import { defineTool } from './tool.ts';
import { useDesktop, whichDesktop } from './use-desktop.ts';

const usualSeconds = 60;

/** Of stdout and stderr each: both fit into what a model is given of one result. */
const outputBytes = 8000;

/** Runs a command in the sandbox. */
export const desktopRun = defineTool({
  name: 'desktop_run',
  description:
    'Run a command in your desktop, by bash in its home folder. The result has the exit code and the first 8000 bytes of each output. What should go on running is started with & and nohup.',
  input: exactly({
    command: text(100_000),
    seconds: maybe(count({ min: 1, max: 600 })).describe(`how long it may take (${usualSeconds})`),
    ...whichDesktop,
  }),
  idempotent: false,
  readOnly: false,
  changesOrganisation: false,
  readersNeedGrant: false,
  async run(context, { command, seconds = usualSeconds, desktop: reference }) {
    return await useDesktop(context, reference, async (_desktop, channel) => ({
      ...(await channel.run({ command, timeoutMs: seconds * 1000, outputBytes })),
    }));
  },
});
