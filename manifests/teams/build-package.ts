import { buildManifest, type ManifestConfig } from './build-manifest.ts';
import { drawColourIcon, drawOutlineIcon } from './draw-icons.ts';
import { writeZip } from './write-zip.ts';

/** The app as Teams takes it ("Upload a custom app"): a zip of the manifest and its two icons. */
export function buildPackage(config: ManifestConfig): Buffer {
  return writeZip([
    { name: 'manifest.json', data: Buffer.from(`${JSON.stringify(buildManifest(config), null, 2)}\n`) },
    { name: 'color.png', data: drawColourIcon() },
    { name: 'outline.png', data: drawOutlineIcon() },
  ]);
}
