import { join } from 'node:path';
import { type BaseImages, buildLimits } from './base-images.ts';
import type { Engine } from './engine.ts';

/** The images of docker/, by the names under which this builds them. */
export const images = {
  core: 'switchboard-e2e-core',
  host: 'switchboard-e2e-host',
  desktop: 'switchboard-e2e-desktop',
} as const;

const repository = join(import.meta.dirname, '..', '..');

/** Builds one image of docker/ from the working tree. What has not changed since the last time is taken from there. */
export async function buildImage(
  engine: Engine,
  name: keyof typeof images,
  options: BaseImages & { encoder: boolean },
): Promise<void> {
  const given = {
    NODE: options.node,
    ...(name === 'desktop' ? { BASE: options.base } : {}),
    // for this machine only: an image with it may not be passed on (docker/host/Dockerfile)
    ...(name === 'host' && options.encoder ? { NODE_AV: 'yes' } : {}),
  };
  await engine.podman(
    ...['build', ...buildLimits, '--tag', images[name], '--file', join(repository, 'docker', name, 'Dockerfile')],
    ...Object.entries(given).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    repository,
  );
}

/** The size of an image in MB, with the base that it shares with the others. */
export async function sizeOf(engine: Engine, name: keyof typeof images): Promise<number> {
  return Math.round(Number(await engine.podman('image', 'inspect', '--format', '{{.Size}}', images[name])) / 1e6);
}
