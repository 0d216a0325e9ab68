/** Macroblocks of a picture and a second that a level allows, by level_idc (ITU-T H.264, table A-1). */
const levels = [
  { idc: 30, picture: 1620, second: 40_500 },
  { idc: 31, picture: 3600, second: 108_000 },
  { idc: 32, picture: 5120, second: 216_000 },
  { idc: 40, picture: 8192, second: 245_760 },
  { idc: 42, picture: 8704, second: 522_240 },
  { idc: 50, picture: 22_080, second: 589_824 },
  { idc: 51, picture: 36_864, second: 983_040 },
  { idc: 52, picture: 36_864, second: 2_073_600 },
] as const;

/**
 * The lowest level of H.264 for a picture of this size, times ten: decoders refuse or allot too little for one that is too low.
 *
 * @throws RangeError above what level 5.2 allows (4096×2304 at 56 pictures a second)
 */
export function h264Level(width: number, height: number, fps: number): number {
  const picture = Math.ceil(width / 16) * Math.ceil(height / 16);
  const found = levels.find((level) => picture <= level.picture && picture * fps <= level.second);
  if (!found) throw new RangeError(`no level of H.264 has ${width}×${height} at ${fps} pictures a second`);
  return found.idc;
}
