import { parseArgs } from 'node:util';
import { startEncoderProcess } from '../../sandbox/remote-frames/testing/encoder-process.ts';
import { trustedRelay } from '../clients/desktop-mail.ts';
import { walkToDesktop } from '../desktop-on-phone.ts';
import { openHouse } from '../house.ts';
import { measuredRun } from '../measured-run.ts';
import { copyWithout } from '../without-package.ts';

/*
 * A Desktop by mail, watched and used on a phone (desktop-on-phone.ts). With `--without-encoder` the package that encodes is not there: the
 * same as stills.
 */

const { values } = parseArgs({
  options: {
    'without-encoder': { type: 'boolean', default: false },
    'remote-encoder': { type: 'boolean', default: false },
    pictures: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const without = values['without-encoder'];
const isRemote = values['remote-encoder'];

await measuredRun(
  {
    title: `A desktop by mail, on a phone${without ? ', as stills' : ''}${isRemote ? ', encoded elsewhere' : ''}`,
    limitMinutes: 8,
  },
  async (run) => {
    const copy = without ? await copyWithout(['node-av', '@seydx']) : undefined;
    if (copy) run.defer(() => copy[Symbol.asyncDispose]());
    const encoder = isRemote ? await startEncoderProcess() : undefined;
    if (encoder) run.defer(() => encoder[Symbol.asyncDispose]());
    await encoder?.ready();
    const house = await openHouse({
      ...(copy ? { main: copy.main } : {}),
      env: { ...trustedRelay, EMBEDDED_HOST: 'true', LOG_LEVEL: 'debug', ...encoder?.settings },
    });
    run.defer(() => house[Symbol.asyncDispose]());
    await house.start();
    const log = () => house.core().output();
    await walkToDesktop(run, { ...house, log }, { picture: without ? 'stills' : 'live', pictures: values.pictures });
    if (encoder) {
      const encoders = new Set(log().match(/(?<="encoder":")\w+/g));
      const found = [...encoders].join(', ');
      run.goal('what encoded the pictures', found, 'remote', found === 'remote');
    }
  },
);
