import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { trustedRelay } from '../clients/desktop-mail.ts';
import { findBaseImages } from '../containers/base-images.ts';
import { buildImage, sizeOf } from '../containers/build-images.ts';
import { openContainerHouse } from '../containers/container-house.ts';
import { startEngine } from '../containers/engine.ts';
import { walkToDesktop } from '../desktop-on-phone.ts';
import { measuredRun } from '../measured-run.ts';

/*
 * Builds the images of docker/ with Podman and runs core and host from them, the Desktops as containers of their own; then the same walk
 * as `e2e:desktop`: a Desktop by mail, watched and used on a phone. With `--without-encoder` the host's image is the one that may be passed
 * on, and the picture is stills. Images stay for the next time, as `switchboard-e2e-…`.
 */

const { values } = parseArgs({
  options: {
    'without-encoder': { type: 'boolean', default: false },
    pictures: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const without = values['without-encoder'];
const desktopDockerfile = join(import.meta.dirname, '..', '..', 'docker', 'desktop', 'Dockerfile');

await measuredRun(
  { title: `The images, and a desktop by mail from them${without ? ', as stills' : ''}`, limitMinutes: 25 },
  async (run) => {
    const folder = await mkdtemp(join(tmpdir(), 'sb-images-'));
    run.defer(() => rm(folder, { recursive: true, force: true }));
    const engine = await startEngine(folder);
    run.defer(() => engine.stop());

    const bases = await findBaseImages(engine, folder, desktopDockerfile);
    run.say(`base images: ${bases.made ? 'made here, none can be pulled' : 'pulled'} (${bases.base}, ${bases.node})`);
    for (const name of ['desktop', 'core', 'host'] as const) {
      await buildImage(engine, name, { ...bases, encoder: !without });
      run.say(`built ${name}: ${await sizeOf(engine, name)} MB`);
    }

    const house = await openContainerHouse(engine, folder, trustedRelay);
    run.defer(() => house[Symbol.asyncDispose]());
    const found = /^Desktops .*$/m.exec(await house.hostLog())?.[0] ?? '';
    run.say(`core and host run; the host says: ${found}`);
    await walkToDesktop(run, house, { picture: without ? 'stills' : 'live', pictures: values.pictures });

    const running = (await house.desktops()).length;
    run.goal('Desktops that run as containers', running, '1', running === 1);
    await house.stopHost();
    const left = (await house.desktops()).length;
    run.goal('of them left when the host was stopped', left, '0', left === 0);
  },
);
